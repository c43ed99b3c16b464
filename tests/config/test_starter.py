"""The first inventory.yaml and mirrors.yaml, from what the user says of nodes and mirrors."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.config.load import load_inventory, load_mirrors
from fleet.config.starter import (
    StarterMirror,
    StarterNode,
    inventory_text,
    mirrors_text,
    parse_mirror,
    parse_node,
    parse_user,
)
from fleet.errors import ConfigErrors, FleetError

NODES = {
    "w1": StarterNode("w1"),
    "w[1-3]": StarterNode("w[1-3]"),
    "w1=10.0.0.1": StarterNode("w1", "10.0.0.1"),
    "w1=node.example:2222": StarterNode("w1", "node.example", 2222),
    "w1=[fd00::1]:22": StarterNode("w1", "[fd00::1]", 22),
}


@pytest.mark.parametrize(("text", "node"), NODES.items(), ids=NODES)
def test_a_node_is_a_name_or_range_with_an_address(text: str, node: StarterNode) -> None:
    assert parse_node(text) == node


@pytest.mark.parametrize(
    "text", ["", "a b", "w1=", "w1=a b", "w[1-3]=10.0.0.1", "w1=a:99999", "w[3-1]"]
)
def test_other_nodes_are_refused(text: str) -> None:
    with pytest.raises(FleetError):
        parse_node(text)


MIRRORS = {
    "https://m.example": StarterMirror("docker.io", "https://m.example"),
    "m.example": StarterMirror("docker.io", "https://m.example"),
    "quay.io=http://m.example:5000": StarterMirror("quay.io", "http://m.example:5000"),
    "https://m.example/v2/x?a=b": None,
    "docker.io=https://registry-1.docker.io": None,
    "Quay.io=https://m.example": None,
    "ftp://m.example": None,
}


@pytest.mark.parametrize(("text", "mirror"), MIRRORS.items(), ids=MIRRORS)
def test_a_mirror_is_a_url_of_a_registry(text: str, mirror: StarterMirror | None) -> None:
    if mirror is None:
        with pytest.raises(FleetError):
            parse_mirror(text)
    else:
        assert parse_mirror(text) == mirror


def test_a_login_is_one_word() -> None:
    assert parse_user("ops") == "ops"
    with pytest.raises(FleetError, match=r"^login: "):
        parse_user("o p s")


def test_the_files_say_what_the_user_said(tmp_path: Path) -> None:
    nodes = [parse_node("w[1-2]"), parse_node("no=10.0.0.9:2222")]
    mirrors = [parse_mirror(text) for text in ("m.example", "quay.io=https://m.example/quay")]
    (tmp_path / "inventory.yaml").write_text(inventory_text(nodes, "ops"))
    (tmp_path / "mirrors.yaml").write_text(mirrors_text(mirrors))

    inventory = load_inventory(tmp_path / "inventory.yaml")
    registries = load_mirrors(tmp_path / "mirrors.yaml")[0].registries

    assert [(node.name, node.host, node.port, node.user) for node in inventory.nodes] == [
        ("w1", "w1", None, "ops"),
        ("w2", "w2", None, "ops"),
        ("no", "10.0.0.9", 2222, "ops"),
    ]
    assert [(registry.name, registry.verify) for registry in registries] == [
        ("docker.io", "docker.io/library/busybox:1.36"),
        ("quay.io", None),
    ]
    assert [mirror.path for registry in registries for mirror in registry.mirrors] == ["", "/quay"]


@pytest.mark.parametrize("name", ["inventory.yaml", "mirrors.yaml"])
def test_without_answers_a_file_is_refused_for_its_placeholders(tmp_path: Path, name: str) -> None:
    text, load = {
        "inventory.yaml": (inventory_text([], ""), load_inventory),
        "mirrors.yaml": (mirrors_text([]), load_mirrors),
    }[name]
    (tmp_path / name).write_text(text)

    with pytest.raises(ConfigErrors, match="replace CHANGE_ME"):
        load(tmp_path / name)


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,12}", fullmatch=True))
def test_any_node_name_is_read_back_as_it_was_given(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "inventory.yaml"
    path.write_text(inventory_text([parse_node(name)], ""))

    assert [node.name for node in load_inventory(path).nodes] == [name]

"""Loading: the format of an inventory is detected, and the mistakes of both files are reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fleet.config.load import load_files, load_inventory, load_mirrors
from fleet.errors import ConfigErrors, Problem

NODES = {
    "kind": "List",
    "items": [{"kind": "Node", "metadata": {"name": "w1"}, "status": {}}],
}
INVENTORY = "all: {hosts: {w1: }}\n"
MIRRORS = "mirrors: {quay.io: {endpoints: [https://a.example]}}\n"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def refused(path: Path) -> tuple[Problem, ...]:
    """Return the problems of an inventory that is not loaded."""
    with pytest.raises(ConfigErrors) as raised:
        load_inventory(path)
    return raised.value.problems


FORMATS = {
    "YAML": ("inventory.yaml", INVENTORY),
    "YAML without its suffix": ("inventory", INVENTORY),
    "JSON of an inventory": ("inventory.json", '{"all": {"hosts": {"w1": {}}}}'),
    "INI": ("hosts.ini", "[gpu]\nw1\n"),
    "INI without its suffix": ("hosts", "[gpu]\nw1\n"),
    "a plain list": ("hosts.txt", "w1\n"),
    "kubectl's JSON": ("nodes.json", json.dumps(NODES)),
    "kubectl's JSON with another suffix": ("nodes.txt", f"\n  {json.dumps(NODES)}"),
    "kubectl's JSON with a byte order mark": ("nodes", f"\ufeff{json.dumps(NODES)}"),
}


@pytest.mark.parametrize(("name", "text"), FORMATS.values(), ids=FORMATS)
def test_every_format_gives_its_node(tmp_path: Path, name: str, text: str) -> None:
    inventory = load_inventory(write(tmp_path, name, text))

    assert [node.name for node in inventory.nodes] == ["w1"]


def test_a_name_that_says_yaml_is_believed(tmp_path: Path) -> None:
    """A text of one word would else be a plain list."""
    assert [node.name for node in load_inventory(write(tmp_path, "hosts", "w1\n")).nodes] == ["w1"]

    (problem,) = refused(write(tmp_path, "hosts.yaml", "w1\n"))

    assert "expected a mapping" in problem.message


def test_a_name_that_says_ini_is_believed(tmp_path: Path) -> None:
    (problem,) = refused(write(tmp_path, "hosts.ini", "w1 word\n"))

    assert problem.message == "w1: 'word' is not key=value"


NO_NODE_LISTS = {
    "broken": "{broken",
    "no items": '{"kind": "List"}',
    "no kind": '{"items": []}',
    "deep": '{"a":' * 2000,
}


@pytest.mark.parametrize("text", NO_NODE_LISTS.values(), ids=NO_NODE_LISTS)
def test_json_that_is_no_list_of_nodes_is_read_as_yaml(tmp_path: Path, text: str) -> None:
    assert refused(write(tmp_path, "nodes.json", text)) != ()


def test_a_mistake_is_shown_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "i.yaml", "all:\n  hosts:\n    w1: {port: x}\n")

    (problem,) = refused(path)

    assert problem.shown() == (
        f'{path}:3:16: all.w1.port: expected an integer, got the string "x"\n'
        "   |\n"
        " 3 |     w1: {port: x}\n"
        "   |                ^"
    )


def test_every_password_of_an_ini_is_hidden_where_its_line_is_shown(tmp_path: Path) -> None:
    path = write(tmp_path, "hosts.ini", "[g]\nw1 ansible_ssh_pass=hunter2 word\n")

    problems = refused(path)

    assert [problem.line for problem in problems] == [2, 2]
    assert "hunter2" not in "".join(problem.shown() for problem in problems)


def test_mirrors_are_returned_with_their_warnings(tmp_path: Path) -> None:
    text = f"{MIRRORS}configs: {{b.example: {{tls: {{insecure_skip_verify: false}}}}}}\n"
    path = write(tmp_path, "mirrors.yaml", text)

    config, (warning,) = load_mirrors(path)

    assert [registry.name for registry in config.registries] == ["quay.io"]
    assert (warning.severity, warning.line, warning.column) == ("warning", 2, 11)
    assert warning.excerpt is not None
    assert warning.excerpt.text.startswith("configs: {b.example:")


def test_kubesprays_mirrors_are_read_as_well(tmp_path: Path) -> None:
    text = """\
containerd_registries_mirrors:
  - prefix: docker.io
    mirrors:
      - {host: https://a.example, capabilities: [pull, resolve]}
"""

    config, _ = load_mirrors(write(tmp_path, "mirrors.yaml", text))

    assert [registry.name for registry in config.registries] == ["docker.io"]


def test_both_files_are_loaded_together(tmp_path: Path) -> None:
    loaded = load_files(write(tmp_path, "i", INVENTORY), write(tmp_path, "m", MIRRORS))

    assert [node.name for node in loaded.inventory.nodes] == ["w1"]
    assert [registry.name for registry in loaded.mirrors.registries] == ["quay.io"]
    assert loaded.warnings == ()


def test_a_file_that_is_missing_does_not_hide_the_mistakes_of_the_other(tmp_path: Path) -> None:
    mirrors = write(tmp_path, "m", "mirrors: {quay.io: {endpoints: []}}\n")

    with pytest.raises(ConfigErrors) as raised:
        load_files(tmp_path / "i", mirrors)

    first, second = raised.value.problems
    assert (first.file, second.file) == (str(tmp_path / "i"), str(mirrors))
    assert first.message.startswith("not found; create it with `fleet init`")
    assert (second.line, second.column) == (1, 32)


def test_the_mistakes_of_one_file_are_enough(tmp_path: Path) -> None:
    good, bad = write(tmp_path, "good", INVENTORY), write(tmp_path, "bad", "mirrors: 1\n")

    with pytest.raises(ConfigErrors) as raised:
        load_files(good, bad)

    assert {problem.file for problem in raised.value.problems} == {str(bad)}


@pytest.mark.parametrize(("match", "idle"), [("w1", False), ("all", False), ("w9", True)])
def test_an_override_that_selects_no_node_is_warned_of(
    tmp_path: Path, match: str, idle: bool
) -> None:
    text = f"{MIRRORS}overrides: [{{match: {match}, mirrors: {{quay.io: {{fallback: never}}}}}}]\n"

    loaded = load_files(write(tmp_path, "i", INVENTORY), write(tmp_path, "m", text))

    messages = [warning.message for warning in loaded.warnings]
    assert messages == ([f"match: {match!r} selects no node of the inventory"] if idle else [])

"""One table has the keys of a node; every place that shows or reads them follows it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from fleet.config.inventory.keys import KEYS
from fleet.config.json_schema import inventory_schema
from fleet.config.load import load_inventory
from fleet.core.model.node import ClusterSettings, Node
from fleet.errors import ConfigErrors
from tests.support.fleet import Fleet
from tests.support.schemas import fits

VALUES: dict[str, str | int | bool] = {
    "host": "10.0.0.1",
    "port": 2222,
    "user": "ops",
    "identity_file": "~/.ssh/key",
    "become": True,
    "become_user": "fleet",
    "jump": "bastion",
    "site": "north",
    "max_unavailable": "25%",
    "order": 7,
    "distro": "k3s",
    "containerd_config": "/etc/c.toml",
    "containerd_socket": "/run/c.sock",
    "containerd_service": "c.service",
    "kubernetes": "prod",
    "kubernetes_node": "ip-10-0-0-1",
}
"""A value of each key that is not its default."""
CLUSTER = ClusterSettings(context="prod")
READ = {**VALUES, "kubernetes": CLUSTER}
NAMES = [(key, name) for key in KEYS.values() for name in (key.name, *key.aliases)]
Writer = Callable[[dict[str, object]], str]


def yaml_host(values: dict[str, object]) -> str:
    return json.dumps({"all": {"hosts": {"w1": values}}})


def yaml_group(values: dict[str, object]) -> str:
    return json.dumps({"all": {"children": {"g": {"vars": values, "hosts": {"w1": None}}}}})


def ini_host(values: dict[str, object]) -> str:
    return "[g]\nw1 " + " ".join(f"{name}={value}" for name, value in values.items()) + "\n"


def ini_group(values: dict[str, object]) -> str:
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    return f"[g]\nw1\n[g:vars]\n{lines}"


WRITERS: list[Writer] = [yaml_host, yaml_group, ini_host, ini_group]


def test_a_node_has_a_field_for_each_key_and_no_other_setting() -> None:
    fields = [field.name for field in dataclasses.fields(Node)]

    assert fields == ["name", *KEYS, "groups", "origins"]
    assert [*VALUES] == [*KEYS]


@pytest.mark.parametrize("write", WRITERS)
def test_every_key_is_read_under_all_its_names(write: Writer, tmp_path: Path) -> None:
    from_group = write in {yaml_group, ini_group}
    for key, name in NAMES:
        if from_group and not key.shared:
            continue
        path = tmp_path / "inventory"
        path.write_text(write({name: VALUES[key.name]}))
        (node,) = load_inventory(path).nodes

        assert (name, getattr(node, key.name)) == (name, READ[key.name])


@pytest.mark.parametrize("text", [yaml_group({"host": "h"}), 'all: {hosts: {"w[1-2]": {host: h}}}'])
def test_a_key_that_is_not_shared_belongs_to_one_node(text: str, tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(text)

    assert [key.name for key in KEYS.values() if not key.shared] == [
        "host",
        "kubernetes_node",
    ]
    with pytest.raises(ConfigErrors, match=r"would (all )?be the same machine"):
        load_inventory(path)


def test_the_schema_has_all_names_and_takes_what_the_readers_take() -> None:
    properties = inventory_schema()["$defs"]["variables"]["properties"]

    assert [*properties] == [name for _, name in NAMES]
    assert all(properties[name]["description"] == key.meaning for key, name in NAMES)
    jsonschema.validate({"all": {"hosts": {"w1": VALUES}}}, inventory_schema())


def test_kubectl_gives_no_key_that_the_table_lacks(tmp_path: Path) -> None:
    item = {
        "kind": "Node",
        "metadata": {"name": "w1", "labels": {"topology.kubernetes.io/zone": "north"}},
        "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}]},
    }
    path = tmp_path / "nodes.json"
    path.write_text(json.dumps({"kind": "List", "items": [item]}))
    (node,) = load_inventory(path).nodes

    assert (node.host, node.site, set(node.origins)) == ("10.0.0.1", "north", {"host", "site"})


def test_the_command_shows_every_key(offline: Fleet) -> None:
    offline.write("inventory.yaml", yaml_host(dict(VALUES)))
    offline.write("bare.yaml", yaml_host({}))
    shown = offline("inventory", "--json").json["nodes"]["w1"]["values"]
    full = offline("inventory", "-i", "bare.yaml", "w1").text.splitlines()[1:]

    fits("inventory", offline("inventory", "--json").json)
    assert {name: value["value"] for name, value in shown.items()} == {
        **VALUES,
        "kubernetes": dataclasses.asdict(CLUSTER),
    }
    unset = [key.name for key in KEYS.values() if key.unset]
    assert [line.split(":")[0].strip() for line in full if "# " in line] == unset

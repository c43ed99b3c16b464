"""The inventory of a cluster: its nodes, its labels, and the settings of an inventory.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet.config.inventory.cluster import SETTINGS, file_of, is_cluster
from fleet.config.load import load_inventory, read_inventory
from fleet.core.model.inventory import Inventory
from fleet.core.model.node import ClusterSettings
from fleet.core.selection.patterns import select
from fleet.errors import ConfigErrors, FleetError
from tests.support.api_server import api_server, listing, node_object, status_object

KUBE = Path("kube:lab")


def labeled(item: dict[str, Any], **labels: str) -> dict[str, Any]:
    item["metadata"]["labels"] = labels
    return item


def runtime(name: str, version: str, **info: str) -> dict[str, Any]:
    return node_object(name, nodeInfo={"containerRuntimeVersion": version, **info})


ZONE = "topology.kubernetes.io/zone"
OBJECTS = [
    labeled(node_object("w10", "10.0.0.10"), pool="gpu", **{ZONE: "north"}),
    labeled(node_object("w2", "10.0.0.2"), pool="cpu"),
    labeled(node_object("cp1", "2001:db8::1"), **{"node-role.kubernetes.io/control-plane": ""}),
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cluster(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Return the Node objects of a cluster that KUBECONFIG names."""
    objects = list(OBJECTS)
    with api_server(listing(objects)) as server:
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(folder)))
        yield objects


def chosen(inventory: Inventory, limit: str) -> list[str]:
    return [node.name for node in select(inventory, limit, None, str)]


@pytest.mark.usefixtures("cluster")
def test_the_nodes_are_those_of_the_cluster_in_natural_order() -> None:
    inventory = load_inventory(KUBE)

    assert [(node.name, node.host, node.site) for node in inventory.nodes] == [
        ("cp1", "2001:db8::1", None),
        ("w2", "10.0.0.2", None),
        ("w10", "10.0.0.10", "north"),
    ]
    assert [node.groups for node in inventory.nodes] == [
        ("control_plane", "all"),
        ("workers", "all"),
        ("workers", "all"),
    ]
    assert {(node.kubernetes, node.kubernetes_node == node.name) for node in inventory.nodes} == {
        (ClusterSettings(context="lab"), True)
    }
    assert str(inventory.nodes[0].origins["host"]) == "kube:lab (control_plane.cp1)"


@pytest.mark.usefixtures("cluster")
def test_an_empty_context_is_the_present_one() -> None:
    (node, *_) = load_inventory(Path("kube:")).nodes

    assert node.kubernetes == ClusterSettings(context="lab")
    assert str(node.origins["host"]) == "kube:lab (control_plane.cp1)"


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("limit", "names"),
    [
        ("label:pool=gpu", ["w10"]),
        ("label:pool", ["w2", "w10"]),
        ("label:pool=*", ["w2", "w10"]),
        ("all:!label:pool=gpu", ["cp1", "w2"]),
        ("workers,&label:pool=gpu", ["w10"]),
        ("cp1:label:pool=cpu", ["cp1", "w2"]),
        (f"label:{ZONE}=north", ["w10"]),
        ("label:node-role.kubernetes.io/control-plane=", ["cp1"]),
    ],
)
def test_a_label_selects_nodes(limit: str, names: list[str]) -> None:
    assert chosen(load_inventory(KUBE), limit) == names


@pytest.mark.usefixtures("cluster")
def test_settings_come_from_an_inventory_yaml_in_the_folder() -> None:
    SETTINGS.write_text(
        """
all:
  vars: {user: ops}
  hosts: {db1: {}, w10: {host: 192.0.2.10, site: south}}
  children:
    workers: {vars: {jump: bastion}}
    "label:pool=gpu": {vars: {max_unavailable: 1}}
"""
    )
    inventory = load_inventory(KUBE)
    nodes = {node.name: node for node in inventory.nodes}

    assert sorted(nodes) == ["cp1", "w10", "w2"]
    assert {node.user for node in inventory.nodes} == {"ops"}
    assert (nodes["w10"].host, nodes["w10"].site) == ("192.0.2.10", "south")
    assert (nodes["w2"].jump, nodes["cp1"].jump) == ("bastion", None)
    assert (nodes["w10"].max_unavailable, nodes["w2"].max_unavailable) == ("1", None)
    assert inventory.groups["label:pool=gpu"].nodes == ("w10",)
    assert inventory.groups["all"].nodes == ("w10", "cp1", "w2")


@pytest.mark.usefixtures("cluster")
def test_a_mistake_in_the_settings_has_its_line() -> None:
    SETTINGS.write_text("all:\n  vars: {usr: ops, order: x}\n")
    with pytest.raises(ConfigErrors) as caught:
        load_inventory(KUBE)

    assert [(problem.file, problem.line) for problem in caught.value.problems] == [
        ("inventory.yaml", 2),
        ("inventory.yaml", 2),
    ]


def test_the_kubeconfig_of_the_settings_is_used(folder: Path) -> None:
    SETTINGS.write_text("all: {vars: {kubernetes: {kubeconfig: kubeconfig}}}")
    with api_server(listing(OBJECTS)) as server:
        server.kubeconfig(folder)
        (node, *_) = load_inventory(Path("kube:")).nodes

    assert node.kubernetes == ClusterSettings(str(folder / "kubeconfig"), "lab")


def test_other_runtimes_and_systems_are_told_and_left_out(cluster: list[dict[str, Any]]) -> None:
    cluster += [
        runtime("o1", "cri-o://1.34.1"),
        runtime("o2", "cri-o://1.34.1"),
        runtime("d1", "docker://28.0.1"),
        runtime("win", "containerd://1.7", operatingSystem="windows"),
    ]
    inventory, notes = read_inventory(KUBE)

    assert [node.name for node in inventory.nodes] == ["cp1", "w2", "w10"]
    assert [str(note) for note in notes] == [
        "kube:lab: warning: left out 1 node (Docker): d1",
        "kube:lab: warning: left out 2 nodes (CRI-O): o[1-2]",
        "kube:lab: warning: left out 1 node (Windows): win",
    ]
    assert inventory.left_out == {"d1": "Docker", "o1": "CRI-O", "o2": "CRI-O", "win": "Windows"}
    with pytest.raises(FleetError, match="o1 is left out: CRI-O"):
        chosen(inventory, "w2,o1")


def test_a_cluster_without_usable_nodes_is_an_error(cluster: list[dict[str, Any]]) -> None:
    cluster[:] = [runtime("o1", "cri-o://1.34.1")]
    with pytest.raises(ConfigErrors) as caught:
        load_inventory(KUBE)

    assert str(caught.value) == "kube:lab: the cluster has no node that runs containerd on Linux"


def test_two_nodes_with_one_address_are_told(cluster: list[dict[str, Any]]) -> None:
    cluster.append(node_object("w3", "10.0.0.2"))
    _, notes = read_inventory(KUBE)

    assert [str(note) for note in notes] == [
        "kube:lab: warning: w3: 10.0.0.2 is also the address of w2:"
        " delete one of these Node objects, or leave it out with -x"
    ]


def test_hostile_objects_do_no_harm(cluster: list[dict[str, Any]]) -> None:
    evil = labeled(node_object("evil", "-oProxyCommand=x"), **{"a\nb": "c", "d": "\x1b[2J"})
    role = labeled(node_object("w4", "10.0.0.4"), **{"node-role.kubernetes.io/w4": ""})
    cluster += [evil, role, node_object("../../x", "10.0.0.5"), {"metadata": 7}]
    cluster.append(labeled(node_object("w5"), **{ZONE: "a b;c"}))
    cluster[-1]["status"]["addresses"] = [{"type": "Hostname", "address": "$(id)"}]
    nodes = {node.name: node for node in load_inventory(KUBE).nodes}

    assert nodes["evil"].host == "evil"
    assert nodes["w4"].groups == ("workers", "all")
    assert (nodes["w5"].host, nodes["w5"].site) == ("w5", None)
    assert sorted(nodes) == ["cp1", "evil", "w10", "w2", "w4", "w5"]


def test_a_list_of_thousands_is_read_in_pages(cluster: list[dict[str, Any]]) -> None:
    cluster[:] = [
        labeled(node_object(f"n{number}", f"10.{number // 250}.0.{number % 250 + 1}"), pool="x")
        for number in range(2500)
    ]
    inventory = load_inventory(KUBE)

    assert len(inventory.nodes) == 2500
    assert len(chosen(inventory, "label:pool=x")) == 2500


def test_a_context_that_is_missing_is_named(cluster: list[dict[str, Any]]) -> None:
    assert cluster
    with pytest.raises(ConfigErrors, match="has no context other; name one of its contexts: lab"):
        load_inventory(Path("kube:other"))


def test_a_refusal_of_the_api_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with api_server(lambda _: status_object(403, "Forbidden", "see")) as server:
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(folder)))
        with pytest.raises(ConfigErrors) as caught:
            load_inventory(KUBE)

    assert str(caught.value) == (
        "kube:lab: the cluster lab does not allow this login to list nodes:"
        " see; grant the right; docs/how-to/kubernetes-rights.md has the manifests"
    )


def test_the_file_of_a_cluster_is_that_of_the_settings() -> None:
    assert (is_cluster(KUBE), file_of(KUBE)) == (True, SETTINGS)
    assert (is_cluster(Path("hosts.yaml")), file_of(Path("hosts.yaml"))) == (
        False,
        Path("hosts.yaml"),
    )

"""Inventories in INI, as a plain list and from kubectl; Ansible itself is the judge of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fleet.config.load import load_inventory
from fleet.core.model.inventory import Inventory
from fleet.core.selection.patterns import select
from fleet.errors import ConfigErrors

INI = """\
# a comment
lonely.example.net ansible_host=192.0.2.9   # and one here
[kube_control_plane]
cp[1:3] ansible_user=root ; no comment in Ansible
[kube_node:children]
gpu
small
[gpu]
gpu[01:03].example.net:2222
gpu-a ansible_host=192.0.2.7 ansible_port=2200 note="two words"
[small]
w[a:c] 'odd'=1
[small:vars]
ansible_user = ops
# another
ansible_become=yes
ansible_ssh_private_key_file=~/.ssh/key with space
[k8s_cluster:children]
kube_control_plane
kube_node
[all:vars]
ansible_port=22
http_proxy=http://proxy.example.net:3128/#x
[gpu:vars]
ansible_port=2022
"""
KUBESPRAY = """\
all:
  hosts:
    node1: {ansible_host: 10.3.0.1, ip: 10.3.0.1, access_ip: 10.3.0.1}
    node2: {ansible_host: 10.3.0.2, ip: 10.3.0.2, access_ip: 10.3.0.2}
    node[3:5]: {}
  vars: {ansible_user: ubuntu, ansible_become: true}
  children:
    kube_control_plane: {hosts: {node1: , node2: }}
    kube_node: {hosts: {node2: , "node[3:5]": }, vars: {ansible_port: 2222}}
    etcd: {hosts: {node1: }}
    k8s_cluster: {children: {kube_control_plane: , kube_node: }}
    calico_rr: {hosts: {}}
"""


def judged(path: Path) -> dict[str, Any]:
    """Return what Ansible makes of an inventory."""
    ran = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(path), "--list"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "ANSIBLE_HOME": str(path.parent / "ansible"), "HOME": str(path.parent)},
    )
    return json.loads(ran.stdout)


def members(told: dict[str, Any], group: str) -> set[str]:
    """Return all hosts of a group of Ansible's, those of its children as well."""
    body = told.get(group, {})
    found = set(body.get("hosts", ()))
    return found.union(*(members(told, child) for child in body.get("children", ())))


def same(ours: Inventory, told: dict[str, Any]) -> None:
    groups = {name for name in ours.groups if name != "all"}
    theirs = {name for name in told if name not in {"_meta", "all", "ungrouped"}}
    assert groups >= theirs
    for name in groups:
        assert set(ours.groups[name].nodes) == members(told, name), name
    assert {node.name for node in ours.nodes} == members(told, "all")
    for node in ours.nodes:
        given = told["_meta"]["hostvars"].get(node.name, {})
        assert node.host == given.get("ansible_host", node.name)
        assert node.port == given.get("ansible_port")
        assert node.user == given.get("ansible_user")


def test_an_ini_means_what_ansible_takes_it_for(tmp_path: Path) -> None:
    path = tmp_path / "hosts.ini"
    path.write_text(INI.replace(" ; no comment in Ansible", "").replace(" 'odd'=1", ""))

    same(load_inventory(path), judged(path))


def test_a_kubespray_inventory_means_what_ansible_takes_it_for(tmp_path: Path) -> None:
    path = tmp_path / "hosts.yaml"
    path.write_text(KUBESPRAY)

    same(load_inventory(path), judged(path))


LIMITS = (
    "kube_node:!gpu",
    "kube_node:&k8s_cluster:!small",
    "gpu*:lonely.example.net",
    "cp1,wa",
    "all:!kube_node",
    "@names",
)


@pytest.mark.parametrize("pattern", LIMITS)
def test_a_limit_means_whom_ansible_takes_it_for(tmp_path: Path, pattern: str) -> None:
    path = tmp_path / "hosts.ini"
    path.write_text(INI.replace(" ; no comment in Ansible", "").replace(" 'odd'=1", ""))
    (tmp_path / "names").write_text("cp2\nwa\n")

    def read(name: str) -> str:
        return (tmp_path / name).read_text()

    ours = [node.name for node in select(load_inventory(path), pattern, None, read)]
    ran = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible")),
            "all",
            "--list-hosts",
            *("-i", str(path), "--limit", pattern),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "ANSIBLE_HOME": str(tmp_path / "ansible"), "HOME": str(tmp_path)},
    )

    assert sorted(ours) == sorted(line.strip() for line in ran.stdout.splitlines()[1:])


def test_values_of_an_ini_are_read_as_ansible_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text(INI.replace(" ; no comment in Ansible", "").replace(" 'odd'=1", ""))
    nodes = {node.name: node for node in load_inventory(path).nodes}

    assert (nodes["gpu01.example.net"].port, nodes["gpu-a"].port, nodes["wa"].port) == (
        2222,
        2200,
        22,
    )
    assert (nodes["wb"].user, nodes["wb"].become) == ("ops", True)
    assert nodes["wb"].identity_file == "~/.ssh/key with space"
    assert nodes["lonely.example.net"].host == "192.0.2.9"


MISTAKES = {
    "a strange section": ("[gpu:what]\nw1\n", "1:1: '[gpu:what]' is not a section"),
    "no key=value": ("[gpu]\nw1 ansible_port\n", "2:4: w1: 'ansible_port' is not key=value"),
    "a misspelt variable": ("[gpu]\nw1 ansible_prot=1\n", 'unknown key "ansible_prot"'),
    "a secret": (
        "[gpu]\nw1 ansible_ssh_pass=x\n",
        "2:4: gpu.w1.ansible_ssh_pass: remove this password",
    ),
    "a bad range": ("[gpu]\nw[3:1]\n", "2:1: gpu: "),
    "a name that is none": ("[gpu]\n../x\n", "invalid node name"),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=list(MISTAKES))
def test_mistakes_in_an_ini_are_told_with_their_place(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "hosts.ini"
    path.write_text(text)

    with pytest.raises(ConfigErrors) as caught:
        load_inventory(path)

    assert message in str(caught.value)


def test_a_plain_list_is_an_inventory(tmp_path: Path) -> None:
    path = tmp_path / "hosts.txt"
    path.write_text("# the small ones\nw1.example.net\nw[2-4]\n\n10.0.0.7:2222\n")

    nodes = {node.name: node for node in load_inventory(path).nodes}

    assert list(nodes) == ["w1.example.net", "w2", "w3", "w4", "10.0.0.7"]
    assert nodes["10.0.0.7"].port == 2222


def kubernetes_node(name: str, address: str, *, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {
            "addresses": [
                {"type": "Hostname", "address": name},
                {"type": "InternalIP", "address": address},
            ],
            "nodeInfo": {"operatingSystem": labels.get("kubernetes.io/os", "linux")},
        },
    }


def test_what_kubectl_prints_is_an_inventory(tmp_path: Path) -> None:
    path = tmp_path / "nodes.json"
    role = "node-role.kubernetes.io/"
    items = [
        kubernetes_node("cp1", "10.0.0.1", labels={f"{role}control-plane": ""}),
        kubernetes_node("w1", "10.0.0.2", labels={"topology.kubernetes.io/zone": "eu-1a"}),
        kubernetes_node("w2", "10.0.0.3", labels={f"{role}worker": "", f"{role}gpu": ""}),
        kubernetes_node("win", "10.0.0.4", labels={"kubernetes.io/os": "windows"}),
    ]
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))

    inventory = load_inventory(path)

    nodes = {node.name: (node.host, node.site) for node in inventory.nodes}
    assert nodes == {
        "cp1": ("10.0.0.1", None),
        "w1": ("10.0.0.2", "eu-1a"),
        "w2": ("10.0.0.3", None),
    }
    groups = {name: group.nodes for name, group in inventory.groups.items() if name != "all"}
    assert groups == {"control_plane": ("cp1",), "workers": ("w1", "w2"), "gpu": ("w2",)}

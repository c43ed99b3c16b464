"""inventory.yaml: values, their origin, and every mistake with its line and column."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.config.inventory.yaml import InventoryReader
from fleet.config.load import load_inventory
from fleet.core.model.inventory import Inventory
from fleet.core.text.yaml import parse_yaml
from fleet.errors import ConfigErrors

KUBESPRAY = """\
all:
  vars:
    ansible_user: ubuntu
    ansible_ssh_private_key_file: ~/.ssh/k
    kube_version: v1.33.1
  hosts:
    node1: {ansible_host: 10.0.0.1, ip: 10.0.0.1, access_ip: 10.0.0.1, etcd_member_name: e1}
    node2:
      ansible_host: 10.0.0.2
      ansible_port: 2222
      ansible_become: yes
  children:
    kube_control_plane:
      hosts:
        node1:
    kube_node:
      vars: {containerd_registries_mirrors: [], max_unavailable: 25%}
      hosts:
        node1:
        node2:
    k8s_cluster:
      vars: {site: a, containerd_version: 1.7.27}
      children:
        kube_control_plane:
        kube_node:
    calico_rr:
      hosts: {}
"""


def read(text: str) -> Inventory:
    reader = InventoryReader("inventory.yaml")
    inventory = reader.read(parse_yaml(text, "inventory.yaml"))
    if reader.reader.problems:
        raise ConfigErrors(reader.reader.problems)
    return inventory


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as raised:
        read(text)
    return [str(problem) for problem in raised.value.problems]


def test_a_kubespray_inventory_loads_as_it_is() -> None:
    inventory = read(KUBESPRAY)

    first, second = inventory.nodes
    assert (first.host, first.user, first.port, first.site) == ("10.0.0.1", "ubuntu", None, "a")
    assert (second.port, second.become, second.max_unavailable) == (2222, True, "25%")
    assert set(first.groups) == {"kube_control_plane", "kube_node", "k8s_cluster", "all"}
    assert inventory.groups["k8s_cluster"].nodes == ("node1", "node2")
    assert inventory.groups["kube_node"].max_unavailable == "25%"
    assert str(second.origins["port"]) == "inventory.yaml:10:21 (all.node2)"


def test_the_nearest_group_wins_and_the_host_beats_all() -> None:
    inventory = read(
        """\
all:
  vars: {user: far, port: 1}
  children:
    outer:
      vars: {port: 2, site: outer}
      children:
        inner:
          vars: {port: 3}
          hosts:
            a: {}
            b: {port: 4}
"""
    )

    assert [(n.name, n.user, n.port, n.site) for n in inventory.nodes] == [
        ("a", "far", 3, "outer"),
        ("b", "far", 4, "outer"),
    ]


def test_ranges_name_many_nodes_in_order() -> None:
    inventory = read("all:\n  hosts:\n    w[8-10].x: {user: u}\n    cp[01:02]:\n")

    assert [node.name for node in inventory.nodes] == ["w8.x", "w9.x", "w10.x", "cp01", "cp02"]
    assert inventory.nodes[1].host == "w9.x"


MISTAKES = {
    "a misspelt key": (
        "workers:\n  hosts:\n    w1:\n      adress: x\n",
        ['4:7: workers.w1: unknown key "adress" (did you mean "address"?)'],
    ),
    "a port that is a string": (
        'all:\n  hosts:\n    w1: {port: "22"}\n',
        ['3:16: all.w1.port: expected an integer, got the string "22"'],
    ),
    "a port that is none": (
        "all: {hosts: {w1: {port: 70000}}}\n",
        ["1:26: all.w1.port: expected 1 to 65535, got 70000"],
    ),
    "two groups that disagree": (
        "a: {vars: {port: 1}, hosts: {n: }}\nb: {vars: {port: 2}, hosts: {n: }}\n",
        ["2:18: n: port is 2 by b.vars and 1 by a.vars on line 1; set it for the node itself"],
    ),
    "a secret": (
        "all: {hosts: {n: {ansible_become_password: x}}}\n",
        [
            "1:19: all.n.ansible_become_password: remove this password: -K asks for that of sudo,"
            " and SSH needs a key"
        ],
    ),
    "a template": (
        'all: {hosts: {n: {host: "{{ ip }}"}}}\n',
        ["1:25: all.n.host: templates are not evaluated: write the value itself"],
    ),
    "a key that stands twice": (
        "all:\n  hosts:\n    a:\n    a:\n",
        ['4:5: the key "a" is listed twice (first on line 3)'],
    ),
    "all of them at once": (
        "all:\n  hosts:\n    a: {port: x}\n    ../b: {}\n  chldren: {}\n",
        [
            '3:15: all.a.port: expected an integer, got the string "x"',
            "4:5: all: invalid node name '../b': use letters, digits, '.', '-' and '_'",
            '5:3: all: unknown key "chldren" (did you mean "children"?)',
        ],
    ),
    "one address for many": (
        "all: {hosts: {? 'a[1-2]' : {host: x}}}\n",
        ["1:35: all.a[1-2]: one host for 2 nodes: they would all be the same machine"],
    ),
    "a flag in disguise": (
        "all: {hosts: {a: {host: -oProxyCommand=x}}}\n",
        [
            "1:25: all.a.host: expected a plain word without spaces or shell characters, got"
            " '-oProxyCommand=x'"
        ],
    ),
    "a group that is its own child": (
        "a: {children: {b: {children: {a: }}}}\n",
        [
            "1:1: a: the group is one of its own children",
            "1:1: b: the group is one of its own children",
        ],
    ),
    "nobody": ("all: {}\n", ["1:1: has no nodes: write them under all.hosts"]),
    "not YAML": ("a: [1\n", ["2:1: not valid YAML: did not find expected ',' or ']'"]),
    "a tag": ("all: {hosts: {a: {site: !!python/name:os.system x}}}\n", None),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(text: str, expected: list[str] | None) -> None:
    found = mistakes(text)

    if expected is None:
        assert "is not supported" in found[0]
    else:
        assert found == [f"inventory.yaml:{each}" for each in expected]


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigErrors,
        match=r"inventory\.yaml: not found; create it with `fleet init`, or name yours with",
    ):
        load_inventory(tmp_path / "inventory.yaml")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab:-[]{}&*!#|>\n \"'%@,0", max_size=60))
def test_any_text_is_an_inventory_or_a_list_of_mistakes(text: str) -> None:
    reader = InventoryReader("inventory.yaml")
    try:
        inventory = reader.read(parse_yaml(text, "inventory.yaml"))
        nodes, problems = inventory.nodes, reader.reader.problems
    except ConfigErrors as error:
        nodes, problems = (), list(error.problems)

    assert bool(nodes) != bool(problems)


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for number in range(1, 9):
        lines.append(f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 10)}]")

    with pytest.raises(ConfigErrors, match="too large"):
        parse_yaml("\n".join(lines), "x.yaml")


SAME = {
    "the same host": ("{a: {host: x}, b: {host: x}}", ["b: x is also the address of a (line 1)"]),
    "a name as another's host": (
        "{a: {}, b: {host: A}}",
        ["b: A is also the address of a (line 1)"],
    ),
    "another port": ("{a: {host: x}, b: {host: x, port: 2222}}", []),
    "another jump host": ("{a: {host: x}, b: {host: x, jump: j}}", []),
}


@pytest.mark.parametrize(("hosts", "expected"), SAME.values(), ids=SAME)
def test_two_names_of_one_address_are_warned_of(hosts: str, expected: list[str]) -> None:
    reader = InventoryReader("i")
    reader.read(parse_yaml(f"all: {{hosts: {hosts}}}", "i"))

    assert [warning.message for warning in reader.reader.warnings] == [
        f"{text}: keep one name" for text in expected
    ]

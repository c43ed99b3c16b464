"""`--rerun` after the inventory has changed: nodes that are gone from it are reported."""

from __future__ import annotations

from tests.support.fleet import Fleet

BEFORE = "all: {hosts: {a: {host: 127.0.0.1, port: 1}, b: {host: 127.0.0.1, port: 1}}}\n"
FLAGS = ("-y", "--connect-timeout", "1", "--max-failures", "2", "--json")


def test_nodes_that_were_renamed_are_not_passed_over_in_silence(offline: Fleet) -> None:
    offline.write("ssh_config", "")
    fleet = Fleet(offline.folder, str(offline.folder / "ssh_config"))
    fleet.write("inventory.yaml", BEFORE)
    first = fleet("rollout", *FLAGS).json["rollout"]
    again = ("rollout", "--rerun", "unreachable", first, *FLAGS)

    fleet.write("inventory.yaml", BEFORE.replace("b:", "c:"))
    one = fleet(*again)
    fleet.write("inventory.yaml", BEFORE.replace("b:", "c:").replace("a:", "d:"))
    all_of_them = fleet(*again)

    assert list(one.json["nodes"]) == ["a"]
    told = f"unreachable in rollout {first}, and not in the inventory any more"
    assert f"b: {told}" in one.stderr
    assert all_of_them.code == 2
    assert f"a,b: {told}; give renamed nodes with --limit" in all_of_them.stderr

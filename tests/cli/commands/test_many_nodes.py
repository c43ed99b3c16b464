"""A fleet of 192 nodes that cannot be reached: every command says so once, in a few lines."""

from __future__ import annotations

import pytest

from tests.support.fleet import Fleet

FAST = ("--parallel", "192", "--connect-timeout", "2")
COMMANDS = {
    "probe": ("probe",),
    "diff": ("diff",),
    "rollout": ("rollout", "-y"),
}


@pytest.fixture
def edge(offline: Fleet) -> Fleet:
    """Return a fleet of closed ports, each with an address of its own."""
    nodes = "".join(
        f"    edge{number:03}: {{host: 127.0.1.{number}}}\n" for number in range(1, 193)
    )
    offline.write("inventory.yaml", f"all:\n  vars: {{user: ops, port: 1}}\n  hosts:\n{nodes}")
    return offline


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_failure_of_all_nodes_is_shown_once(edge: Fleet, words: tuple[str, ...]) -> None:
    ran = edge(*words, *FAST, env={"FLEET_SSH_CONFIG": "/dev/null"})

    lines = ran.text.splitlines()
    assert ran.code != 0
    assert len(lines) < 60, ran.text
    refused = [line for line in lines if "cannot connect: connection refused" in line]
    assert 1 <= len(refused) <= 2, ran.text  # a rollout has its plan, and its recap
    assert any("edge[001-192] (192)" in line for line in lines), ran.text
    assert not any("127.0.1." in line for line in lines), ran.text


def test_after_a_verification_that_reached_no_node_comes_a_probe(edge: Fleet) -> None:
    ran = edge("verify", "-l", "edge[001-002]", *FAST, env={"FLEET_SSH_CONFIG": "/dev/null"})

    assert ran.code == 1
    assert "IMAGE" not in ran.stdout
    line = "Next: fleet probe --parallel 192 --connect-timeout 2 -l 'edge[001-002]'"
    assert ran.stderr.splitlines()[-1] == line

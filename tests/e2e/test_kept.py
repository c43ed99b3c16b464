"""Connections that are kept: what becomes of them where sshd, or somebody on the way, ends them."""

from __future__ import annotations

import threading
import time

import pytest

from fleet.core.model.node import Node
from fleet.ssh import (
    SshSettings,
    close_all_pooled,
    descriptors,
    pooled_connection,
    session_pool,
)
from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.lab.node import LabNode
from tests.support.fleet import Fleet
from tests.support.sshd import PORT, accepted, add_config, hang_up, known_line, now, odd_sshd

pytestmark = pytest.mark.e2e
_STOP = """
main=$(systemctl show odd-sshd -p MainPID --value)
for each in $(cat "$(find /sys/fs/cgroup -path '*odd-sshd.service/cgroup.procs' | head -1)"); do
    [ "$each" = "$main" ] || kill -STOP "$each"
done
"""


def through_odd_sshd(lab: Lab, fleet: Fleet, name: str) -> tuple[Node, SshSettings]:
    """Return how to reach a node over its second sshd alone."""
    node = lab.nodes[name]
    mine = f"UserKnownHostsFile {fleet.folder}/known_hosts"
    add_config(lab, fleet, f"Host {node.address}\n    Port {PORT}\n    {mine}\n")
    fleet.write("known_hosts", known_line(lab, name, f"[{node.address}]:{PORT}"))
    return Node(name=name, host=node.address), SshSettings(fleet.ssh_config, 2)


def said(way: tuple[Node, SshSettings], line: str) -> str:
    with pooled_connection(*way, keep=True) as remote:
        return remote.run(line, stdin=b"", seconds=10).stdout.strip()


def logins(node: LabNode, since: str) -> int:
    return len(accepted(node, since, "odd-sshd"))


def test_a_rollout_comes_through_where_sshd_grants_one_session_at_a_time(
    nodes: Lab, fleet: Fleet
) -> None:
    node = nodes.nodes["bookworm1"]
    through_odd_sshd(nodes, fleet, "bookworm1")
    since = now(node)

    with odd_sshd(node, "MaxSessions=1"):
        ran = fleet("rollout", "-y", "-l", "bookworm1", "--soak", "0", "--json")
        count = logins(node, since)

    assert statuses(ran.json) == {"bookworm1": "converged"}, ran.text
    assert count == 2


@pytest.mark.parametrize("end", [hang_up, lambda node: node.sh(_STOP)], ids=["closed", "silent"])
def test_a_kept_connection_that_died_is_opened_anew(
    nodes: Lab, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, end: object
) -> None:
    node = nodes.nodes["bookworm1"]
    way = through_odd_sshd(nodes, fleet, "bookworm1")
    since = now(node)

    with odd_sshd(node):
        assert said(way, "echo one") == "one"
        assert said(way, "echo two") == "two"
        assert logins(node, since) == 1
        monkeypatch.setattr(session_pool, "ANSWER_VALID_SECONDS", 0)
        assert callable(end)
        end(node)
        assert said(way, "echo three") == "three"
        assert logins(node, since) == 2
        close_all_pooled()


def test_no_more_connections_are_kept_than_the_bound_and_none_outlives_the_end(
    nodes: Lab, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = through_odd_sshd(nodes, fleet, "bookworm1")
    node = nodes.nodes["bookworm1"]
    monkeypatch.setattr(descriptors, "max_pooled", lambda: 1)
    before = threading.active_count()
    since = now(node)

    with odd_sshd(node):
        for name in ("first", "second", "first", "second"):
            assert said((Node(name=name, host=way[0].host), way[1]), "echo here") == "here"
        assert logins(node, since) == 3
        close_all_pooled()

    until = time.monotonic() + 10  # a transport's thread ends a moment after its connection
    while threading.active_count() != before and time.monotonic() < until:
        time.sleep(0.05)
    assert threading.active_count() == before

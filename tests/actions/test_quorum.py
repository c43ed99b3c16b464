"""Control plane nodes in a rollout: etcd is asked and journaled, and their units have time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.history.replay import EntryKind
from fleet.core.model.etcd import Etcd, EtcdMember, EtcdState
from fleet.core.model.facts import NodeFacts
from fleet.journal import Journal
from fleet.node.probe_node import probe
from tests.actions.conftest import Small
from tests.support.scripted_pool import TRIXIE, Watcher

SERVERS = "abc"


def server(name: str, down: str = "") -> NodeFacts:
    """Return the facts of a control plane node; the members in `down` are not healthy."""
    members = tuple(EtcdMember(each, each not in down, own=each == name) for each in SERVERS)
    etcd = Etcd(EtcdState.LISTED, members)
    machine = replace(TRIXIE.machine, control_plane=("process etcd",), etcd=etcd)
    return replace(TRIXIE, machine=machine)


def cluster(small: Small, down: str = "") -> None:
    """Make all nodes control plane nodes."""
    small.pool.ends |= {(probe, name): server(name, down) for name in SERVERS}


class Lines(Watcher):
    """A user who reads the lines between the events as well."""

    def line(self, text: str) -> None:
        self.shown.append(text)


def asked(small: Small) -> list[tuple[str, int]]:
    """Return the journaled answers: the nodes, and how many members were healthy."""
    journal = Journal(small.target.journal, read_only=True)
    newest = next(iter(journal.rollouts()))
    return [
        (" ".join(entry.payload["nodes"]), entry.payload["etcd"]["healthy"])
        for entry in journal.entries(newest.id)
        if entry.kind == EntryKind.QUORUM_ASKED
    ]


def test_the_quorum_is_asked_for_and_journaled(small: Small) -> None:
    cluster(small)
    watcher = Lines()

    result = small.rollout(watcher, batch="100%")

    assert result.status == "finished"
    assert result.batches == (("a",), ("b",), ("c",))
    assert asked(small) == [("a", 3), ("b", 3), ("c", 3), ("", 3)]
    assert "etcd before b: 3 of 3 members healthy" in watcher.shown
    assert "etcd after the last control plane node: 3 of 3 members healthy" in watcher.shown


def test_a_member_that_is_down_halts_until_it_is_back(small: Small) -> None:
    cluster(small, down="c")
    halted = small.rollout(Watcher())
    before = asked(small)
    cluster(small)
    resumed = small.resume(Watcher(), halted.rollout)

    assert (halted.status, before) == ("halted", [("a", 2)])
    assert halted.reason.startswith(
        "etcd would lose its quorum (2 of 3 members healthy, not c). So"
    )
    assert resumed.status == "finished"


@pytest.mark.parametrize(("seconds", "restart", "guard"), [(0, 60, 180), (300, 270, 390)])
def test_a_unit_has_its_own_time_to_start(
    small: Small, seconds: int, restart: int, guard: int
) -> None:
    unit = replace(TRIXIE.daemon.unit, start_seconds=seconds)
    slow = replace(TRIXIE, daemon=replace(TRIXIE.daemon, unit=unit))
    small.pool.ends |= {(probe, "b"): slow}

    small.rollout(Watcher())

    deadlines = small.pool.orders["b"].deadlines
    assert (deadlines.restart, deadlines.guard) == (restart, guard)
    assert small.pool.orders["a"].deadlines.restart == 60

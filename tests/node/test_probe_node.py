"""The probe over SSH: one round trip, and a second try if the connection broke."""

from __future__ import annotations

from pathlib import Path

from fleet.core.failure import Failure, FailureKind
from fleet.core.model.facts import NodeFacts
from fleet.node.probe_node import ProbeOrder, probe
from fleet.node.work_order import Access
from fleet.ssh.pool import close_all_pooled
from tests.node.record import ANSWERS
from tests.support.ssh_server import Answer, in_turn, ssh_server

FACTS = Answer("begun\t=plain\n" + (ANSWERS / "trixie.txt").read_text())
BROKEN = Answer("begun\t=plain\n", None)
SILENT = Answer("begun\t=plain\nhello\t=0\n", 1)


def test_a_node_is_probed_in_one_round_trip(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(FACTS)) as server:
        facts = probe(ProbeOrder(server.node, Access(ssh=server.settings)))

        assert isinstance(facts, NodeFacts)
        assert (len(server.inputs), server.logins) == (1, 1)


def test_a_broken_connection_is_tried_once_more(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(BROKEN, FACTS)) as server:
        facts = probe(ProbeOrder(server.node, Access(ssh=server.settings)))

        assert isinstance(facts, NodeFacts)
        assert server.logins == 2


def test_a_connection_that_breaks_again_is_a_failure(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(BROKEN)) as server:
        failure = probe(ProbeOrder(server.node, Access(ssh=server.settings)))

        assert isinstance(failure, Failure)
        assert (failure.kind, failure.step) == (FailureKind.CONNECT, "run")
        assert len(server.inputs) == 2


def test_a_node_that_answers_wrongly_is_not_asked_again(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(SILENT)) as server:
        failure = probe(ProbeOrder(server.node, Access(ssh=server.settings)))

        assert isinstance(failure, Failure)
        assert failure.kind is FailureKind.PROTOCOL
        assert len(server.inputs) == 1


def test_the_connection_is_kept_for_the_work_that_follows(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(FACTS)) as server:
        access = Access(ssh=server.settings, reuse_connection=True)
        for _ in range(2):
            assert isinstance(probe(ProbeOrder(server.node, access)), NodeFacts)
        close_all_pooled()

        assert (len(server.inputs), server.logins) == (2, 1)


def test_generations_are_asked_for_by_name(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(FACTS)) as server:
        probe(ProbeOrder(server.node, Access(ssh=server.settings), walk="/var/lib/fleet/x"))

        assert "/var/lib/fleet/x" in server.inputs[0]

"""A survey: every node has a place, progress is shown, and no secret is repeated."""

from __future__ import annotations

from dataclasses import replace

from fleet.actions.options import RenderOptions
from fleet.actions.session import Session
from fleet.actions.survey import probe, survey
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.secret import Secret
from fleet.engine.survey import NodeSurvey
from fleet.node.probe_node import probe as probe_node
from fleet.node.script import Privilege
from tests.actions.conftest import Small
from tests.support.scripted_pool import TRIXIE, Watcher

LOST = Failure(FailureKind.CONNECT, Step.CONNECT, "refused hunter22 on port 22", "try again")


class Counting(Watcher):
    def surveyed(self, survey: NodeSurvey, number: int, total: int) -> None:
        self.shown.append(f"{number}/{total} {survey.node.name}")


def surveyed(small: Small, session: Session) -> list[NodeSurvey]:
    files = small.load()
    return survey(files, files.inventory.nodes, session, RenderOptions())


def test_surveys_come_in_the_order_of_the_nodes(small: Small) -> None:
    files, watcher = small.load(), Counting()
    nodes = tuple(reversed(files.inventory.nodes))

    results = survey(files, nodes, small.session(watcher))

    assert [result.node.name for result in results] == ["c", "b", "a"]
    assert watcher.shown == ["1/3 c", "2/3 b", "3/3 a"]
    assert all(result.plan.changes for result in results)


def test_a_password_in_the_failure_of_a_node_is_masked(small: Small) -> None:
    small.pool.ends[probe_node, "b"] = LOST
    session = small.session(Watcher())
    privilege = Privilege(password=Secret("hunter22"))
    session = replace(session, access=replace(session.access, privilege=privilege))

    failures = [result.plan.failure for result in surveyed(small, session)]

    assert [failure and failure.message for failure in failures] == [
        None,
        "refused *** on port 22",
        None,
    ]


def test_one_machine_under_two_names_is_refused(small: Small) -> None:
    twin = replace(TRIXIE, machine=replace(TRIXIE.machine, id="same"))
    small.pool.ends |= {(probe_node, "a"): twin, (probe_node, "c"): twin}

    kinds = [result.plan.failure and result.plan.failure.kind
             for result in surveyed(small, small.session(Watcher()))]  # fmt: skip

    assert kinds == [FailureKind.CONFLICT, None, FailureKind.CONFLICT]


def test_a_node_that_was_not_read_has_no_data(small: Small) -> None:
    small.pool.ends[probe_node, "b"] = LOST
    files = small.load()

    probed = probe(files, files.inventory.nodes, small.session(Watcher()))

    assert [data["state"] if data else None for _, data in probed] == [
        "unmanaged",
        None,
        "unmanaged",
    ]

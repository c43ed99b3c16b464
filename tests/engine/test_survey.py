"""A survey of many nodes: what goes wrong at one of them is that node's failure alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from fleet.core.failure import Failure, FailureKind
from fleet.core.history.serialize_facts import facts_data
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.generation import Generation, ManifestEntry
from fleet.core.model.node import Node
from fleet.core.plan.cache import PlanCache
from fleet.core.plan.undo_request import UndoRequest
from fleet.engine.survey import NodeSurvey, examine, survey, survey_saved
from fleet.node.work_order import Access
from tests.node.record import ANSWERS
from tests.node.test_probe import WISHES, facts_of

NODES = tuple(Node(name=name, host=name) for name in ("a", "odd", "z"))


class Bomb(dict[str, ManagedFile]):
    """Files that nothing can look into: what a reader does not expect."""

    def get(self, *_: Any) -> Any:
        raise ZeroDivisionError("on purpose")

    def __hash__(self) -> int:  # type: ignore[override]
        return id(self)


@dataclass
class Answers:
    """A pool whose work is done already: it gives every node its facts."""

    facts: dict[str, NodeFacts]
    parallel: int = 4
    most_changes: int = 4
    keeps_connections: bool = False

    def submit(self, work: Callable[[Any], Any], order: Any) -> Future[Any]:
        del work
        future: Future[Any] = Future()
        future.set_result(self.facts[order.node.name])
        return future

    def close(self) -> None:
        """Close nothing."""


def answering() -> Answers:
    kept = Generation("g", (ManifestEntry("/etc/containerd/certs.d/docker.io/hosts.toml", None),))
    good = replace(facts_of((ANSWERS / "trixie.txt").read_text()), generations=(kept,))
    odd = replace(good, files=Bomb({**good.files, "/odd": ManagedFile(b"")}))
    return Answers({"a": good, "odd": odd, "z": good})


def surveyed(cache: PlanCache | None = None) -> dict[str, NodeSurvey]:
    found = survey(NODES, lambda _: WISHES, Access(), pool=answering(), cache=cache)
    return {each.node.name: each for each in found}


def test_a_bug_in_planning_is_the_failure_of_its_node() -> None:
    found = surveyed()

    failure = found["odd"].plan.failure
    assert failure is not None
    assert (failure.kind, failure.step) == (FailureKind.BUG, "bug")
    assert failure.message == "bug in fleet: ZeroDivisionError: on purpose"
    assert " in get" in failure.evidence
    assert found["a"].plan.failure is found["z"].plan.failure is None
    assert found["a"].plan.changes


def test_a_bug_in_planning_the_way_back_is_the_failure_of_its_node() -> None:
    found = {
        each.node.name: each
        for each in survey_saved(NODES, Access(), UndoRequest(), pool=answering())
    }

    kinds = {name: each.plan.failure and each.plan.failure.kind for name, each in found.items()}
    assert kinds == {
        "a": None,
        "odd": FailureKind.BUG,
        "z": None,
    }


def test_a_plan_that_cannot_be_shown_is_no_plan() -> None:
    """The journal writes the diffs of all nodes in one entry: one of them would end them all."""

    def fail(change: object, mark: object) -> str:
        raise ZeroDivisionError(str((change, mark))[:9])

    failures = [each.plan.failure for each in surveyed(PlanCache(fail)).values()]
    assert [each and each.kind for each in failures] == [FailureKind.BUG] * 3


def test_a_bug_in_what_is_made_of_a_survey_leaves_the_node_unread() -> None:
    odd, nothing = examine(surveyed()["odd"], facts_data)
    good, data = examine(surveyed()["a"], facts_data)

    assert (odd.facts, nothing) == (None, None)
    assert isinstance(odd.plan.failure, Failure)
    assert odd.plan.failure.kind is FailureKind.BUG
    assert good.facts is not None
    assert data is not None

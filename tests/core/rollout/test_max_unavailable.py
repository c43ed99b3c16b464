"""Free slots of the groups' limits and of the control plane's."""

from __future__ import annotations

import pytest

from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.batches import Limit
from fleet.core.rollout.control_plane import ControlPlaneLimit
from fleet.core.rollout.max_unavailable import ConcurrencyLimits
from fleet.core.rollout.policy import Policy

NAMES = ("a", "b", "w")
GROUPS = (Limit(frozenset("aw"), 2), Limit(frozenset("w"), 1))
PLANE = ControlPlaneLimit(frozenset("ab"))
UNAVAILABLE, IN_FLIGHT = 2, 3
"""The positions of the control plane's limits, behind those of the two groups."""


def slots(quorum: ControlPlaneLimit = PLANE, pause: float = 0) -> ConcurrencyLimits:
    return ConcurrencyLimits(Policy(limits=GROUPS, control_plane=quorum, pause=pause), NAMES)


def test_every_limit_is_free_at_first() -> None:
    assert slots().free == [2, 1, 1, 1]


def test_a_control_plane_node_outside_of_the_rollout_that_is_down_takes_a_slot() -> None:
    quorum = ControlPlaneLimit(frozenset("abx"), 2, {"x": "no answer", "a": "no answer"})

    assert slots(quorum).free == [2, 1, 1, 2]


def test_a_worker_needs_the_slots_of_its_groups() -> None:
    w = slots()

    assert w.launching("w") == w.checking("w") == w.reverting("w") == (0, 1)


def test_a_control_plane_node_needs_both_slots_to_be_activated() -> None:
    assert slots().launching("a") == (0, UNAVAILABLE, IN_FLIGHT)


def test_a_recheck_makes_no_further_node_unavailable() -> None:
    assert slots().checking("a") == (0, IN_FLIGHT)


def test_a_node_that_is_already_down_makes_no_further_one_unavailable() -> None:
    down = slots(ControlPlaneLimit(frozenset("ab"), 1, {"a": "no answer"}))

    assert down.launching("a") == (0, IN_FLIGHT)
    assert down.launching("b") == (UNAVAILABLE, IN_FLIGHT)


@pytest.mark.parametrize(
    ("known", "needed"),
    [({}, (0, 2, 3)), ({"a": True}, (0, 2, 3)), ({"a": False}, (0, 3))],
    ids=["not probed again", "available", "not available"],
)
def test_reverting_a_node_that_is_unavailable_takes_no_further_one(
    known: dict[str, bool], needed: tuple[int, ...]
) -> None:
    assert slots(ControlPlaneLimit(frozenset("ab"), known=known)).reverting("a") == needed


COUNTED = {
    "pending": ("w", NodeStatus.PENDING, [2, 1, 1, 1]),
    "staging a worker": ("w", NodeStatus.STAGING, [1, 0, 1, 1]),
    "staging a control plane node": ("a", NodeStatus.STAGING, [1, 1, 1, 1]),
    "staged": ("a", NodeStatus.STAGED, [2, 1, 1, 1]),
    "running": ("a", NodeStatus.RUNNING, [1, 1, 0, 0]),
    "checking": ("b", NodeStatus.CHECKING, [2, 1, 0, 0]),
    "reverting": ("a", NodeStatus.REVERTING, [1, 1, 0, 0]),
    "converged": ("a", NodeStatus.CONVERGED, [2, 1, 1, 1]),
    "degraded": ("a", NodeStatus.DEGRADED, [2, 1, 0, 1]),
    "unreachable": ("a", NodeStatus.UNREACHABLE, [2, 1, 0, 1]),
    "failed": ("a", NodeStatus.FAILED, [2, 1, 1, 1]),
    "a degraded worker": ("w", NodeStatus.DEGRADED, [2, 1, 1, 1]),
}


@pytest.mark.parametrize(("name", "status", "free"), COUNTED.values(), ids=list(COUNTED))
def test_the_slots_that_are_free_beside_a_node(
    name: str, status: NodeStatus, free: list[int]
) -> None:
    counted = slots()

    counted.count(name, status, 1, checked=False)

    assert counted.free == free


@pytest.mark.parametrize("status", NodeStatus)
@pytest.mark.parametrize("name", NAMES)
def test_a_node_that_leaves_a_status_frees_its_slots(name: str, status: NodeStatus) -> None:
    counted = slots(pause=1)

    counted.count(name, status, 1, checked=False)
    counted.count(name, status, -1, checked=False)

    assert counted.free == slots().free
    assert counted.unproven == set()


UNPROVEN = {
    "with a pause": ("a", 1, False, {"a"}),
    "without a pause": ("a", 0, False, set()),
    "after its recheck": ("a", 1, True, set()),
    "a worker": ("w", 1, False, set()),
}


@pytest.mark.parametrize(
    ("name", "pause", "checked", "unproven"), UNPROVEN.values(), ids=list(UNPROVEN)
)
def test_a_converged_control_plane_node_awaits_its_recheck(
    name: str, pause: float, checked: bool, unproven: set[str]
) -> None:
    counted = slots(pause=pause)

    counted.count(name, NodeStatus.CONVERGED, 1, checked=checked)

    assert counted.unproven == unproven


def test_a_node_that_awaits_its_recheck_keeps_others_from_being_activated() -> None:
    counted = slots(pause=1)

    counted.count("a", NodeStatus.CONVERGED, 1, checked=False)

    assert counted.to_launch() == [2, 1, 0, 1]
    assert counted.free == [2, 1, 1, 1]

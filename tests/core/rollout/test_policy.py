"""The defaults of a rollout's policy."""

from __future__ import annotations

from fleet.core.rollout.control_plane import ControlPlaneLimit
from fleet.core.rollout.policy import OnFailure, Policy


def test_by_default_the_first_failure_halts_a_rollout() -> None:
    policy = Policy()

    assert policy.max_failures == 0
    assert policy.on_failure is OnFailure.HALT
    assert policy.excused_nodes == frozenset()


def test_by_default_64_nodes_are_in_flight_without_a_pause_or_limits() -> None:
    policy = Policy()

    assert (policy.parallel, policy.pause, policy.limits) == (64, 0, ())


def test_by_default_one_control_plane_node_may_be_unavailable() -> None:
    assert Policy().control_plane == ControlPlaneLimit(most=1)


def test_the_treatments_are_named_as_on_the_command_line() -> None:
    assert [*OnFailure] == ["halt", "rollback-batch", "rollback-all"]

"""The risk that a restart of containerd ends running containers."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.change import RestartCost
from fleet.core.model.facts import NodeFacts
from fleet.core.plan.node_plan import PlannedRestart
from fleet.core.text.counts import counted

_SUPERVISORS = {"k0s"}
"""Distributions that watch their drop-ins and restart containerd by themselves."""


_SPARING = {"process", "none"}
"""KillModes with which systemd leaves the shims of a stopped containerd alone (systemd.kill)."""


def restart_risk(facts: NodeFacts, cost: RestartCost) -> Failure | None:
    """Return the reason why a restart would end containers; None if it would not."""
    daemon, mode = facts.daemon, facts.daemon.unit.kill_mode
    if cost is not RestartCost.RESTART or not daemon.tasks or mode in _SPARING | {""}:
        return None
    containers = counted(daemon.tasks, "running container")
    message = (
        f"a restart of {daemon.unit_name} would end {containers}, because its KillMode is {mode}"
    )
    remedy = "set KillMode=process in the unit, or allow it with --disrupt-workloads"
    return Failure(FailureKind.WORKLOADS, Step.PLAN, message, remedy)


def planned_restart(facts: NodeFacts, cost: RestartCost) -> PlannedRestart:
    """Return the restart that a change costs, with its risk and with who does it."""
    by_distribution = facts.daemon.owner in _SUPERVISORS
    return PlannedRestart(
        cost=cost, risk=restart_risk(facts, cost), by_distribution=by_distribution
    )


def cgroup_warnings(facts: NodeFacts) -> Iterator[str]:
    """Yield a warning if systemd may move the unit's cgroups while containers run in them."""
    if facts.daemon.tasks and facts.daemon.unit.delegate == "no":
        yield (
            f"{facts.daemon.unit_name} has Delegate=no, so a restart may move its containers'"
            " cgroups; containerd's own unit has Delegate=yes"
        )

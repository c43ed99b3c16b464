"""The state of a node, from its facts and its plan."""

from __future__ import annotations

from fleet.core.failure import Failure, FailureKind
from fleet.core.model.facts import NodeFacts
from fleet.core.model.finding import FindingEffect
from fleet.core.model.health import health_problem
from fleet.core.model.node_state import NodeState
from fleet.core.model.owned_state import STATE_FILE
from fleet.core.plan.drift import Drift, drifted_paths
from fleet.core.plan.node_plan import NodePlan

_NO_OBSTACLE = {FailureKind.WORKLOADS, FailureKind.LOCKED}
"""Failures of a plan that the user or another rollout resolves, without work on the node."""


_OBSTACLES = {FailureKind.BUG, FailureKind.WORKER, FailureKind.CONFLICT, FailureKind.UNSUPPORTED}
"""Failures of an unread node that are not its own fault; the node may be healthy."""


def node_state(facts: NodeFacts | None, plan: NodePlan) -> NodeState:
    """Return the state of a node; the first that applies, in this order, counts.

    1. unreachable, no access: nothing was read.
    2. unconfirmed: all else may change as soon as the guard reverts the change.
    3. conflict, unhealthy: no rollout would change the node, or its CRI plugin does not load. If
       the config is the cause, it is a conflict.
    4. drifted: a change on the node comes before a newer config, which is_outdated reports.
    5. in sync, unmanaged, outdated.
    """
    if facts is None:
        return unread_state(plan.failure)
    if facts.pending is not None:
        return NodeState.UNCONFIRMED
    if obstacle := _obstacle(facts, plan):
        return obstacle
    if has_drifted(facts, plan):
        return NodeState.DRIFTED
    if not plan.changes:
        return NodeState.IN_SYNC
    return NodeState.OUTDATED if facts.state.files else NodeState.UNMANAGED


def unread_state(failure: Failure | None) -> NodeState:
    """Return the state of a node about which nothing was read."""
    if failure is None or failure.kind.unreachable:
        return NodeState.UNREACHABLE
    if failure.kind.no_access:
        return NodeState.NO_ACCESS
    return NodeState.CONFLICT if failure.kind in _OBSTACLES else NodeState.UNHEALTHY


def _obstacle(facts: NodeFacts, plan: NodePlan) -> NodeState | None:
    """Return the state of a node that no rollout would change; None if one may."""
    failure = plan.failure
    if facts.offline:
        return NodeState.CONFLICT if failure else None
    running = facts.daemon.unit.running
    refused = failure is not None and any(
        finding.effect is FindingEffect.REFUSES for finding in plan.findings
    )
    if refused or (running and any(finding.stops_cri for finding in plan.findings)):
        return NodeState.CONFLICT
    if health_problem(facts) or (failure is not None and failure.kind is FailureKind.HEALTH):
        return NodeState.UNHEALTHY
    if failure is not None and failure.kind not in _NO_OBSTACLE:
        return NodeState.CONFLICT
    return None


def has_drifted(facts: NodeFacts, plan: NodePlan) -> bool:
    """Return whether files were changed on a node since fleet wrote its config.

    A file beside fleet's own counts if it is newer than fleet's record: the others were there
    before, and fleet left them alone.
    """
    times, record = facts.paths.changed_at, facts.paths.changed_at.get(STATE_FILE)
    return any(
        drift is not Drift.EXTRA or record is None or times.get(path, 0) > record
        for path, drift in drifted_paths(facts, plan)
    )


def is_outdated(facts: NodeFacts, plan: NodePlan) -> bool:
    """Return whether a rollout would do more than undo what others changed on a node of fleet."""
    state = facts.state
    owned = {**state.migrated, **state.files}
    return bool(state.files) and any(
        change.after is None or owned.get(change.path) != change.after.digest
        for change in plan.changes
    )

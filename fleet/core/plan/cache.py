"""A cache of plans: nodes with equal facts share their plan."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, replace

from fleet.core.masking import Mark
from fleet.core.masking.shown_text import unified_diff
from fleet.core.model.change import Change
from fleet.core.model.facts import ConfigFacts, DaemonFacts, NodeFacts, PathFacts
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.planner import plan_node
from fleet.core.render.base import DesiredConfig

Diff = Callable[[Change, Mark], object]
"""Makes the diff of a change; the mark masks secrets."""


class PlanCache:
    """A planner that plans nodes with equal facts and equal desired config once.

    A plan without a `diff` is refused.
    """

    def __init__(self, diff: Diff = unified_diff) -> None:
        self._diff = diff
        self._plans: dict[Hashable, tuple[NodeFacts, DesiredConfig, NodePlan]] = {}

    def plan(
        self, node: Node, facts: NodeFacts, desired: DesiredConfig
    ) -> tuple[NodeFacts, NodePlan]:
        """Return a node's facts and plan; both share equal parts with those of other nodes."""
        key = _key(facts, desired)
        if key not in self._plans:
            plan = plan_node(node, facts, desired)
            refuse_unshown(plan, self._diff)
            self._plans[key] = (facts, desired, plan)
        first, _, plan = self._plans[key]
        return _with_own(first, facts), replace(plan, node=node)


def refuse_unshown(plan: NodePlan, diff: Diff = unified_diff) -> None:
    """Raise if a diff of the plan fails: the journal and the views of all nodes would fail too."""
    for change in plan.changes:
        diff(change, _mask)


def _with_own(facts: NodeFacts, own: NodeFacts) -> NodeFacts:
    """Return `facts` with those of `own` that differ between similar nodes.

    A plan reads only those of them that `_key` adds.
    """
    machine = replace(facts.machine, hostname=own.machine.hostname, id=own.machine.id)
    daemon = replace(facts.daemon, unit=own.daemon.unit)
    paths = replace(facts.paths, changed_at=own.paths.changed_at)
    return replace(facts, machine=machine, daemon=daemon, paths=paths)


def _key(facts: NodeFacts, desired: DesiredConfig) -> Hashable:
    """Return all that a plan depends on; equal desired configs are one object."""
    unit = replace(facts.daemon.unit, main_pid=0, restarts=0, started=None)
    common = _with_own(facts, NodeFacts(daemon=DaemonFacts(unit=unit)))
    return (id(desired), facts.edited_not_loaded, _hashable(common))


def _hashable(value: object) -> object:
    """Return a value whose hash and equality are those of the parts of a fact."""
    if isinstance(value, Mapping):
        return frozenset(value.items())
    if isinstance(value, NodeFacts | ConfigFacts | PathFacts):
        return tuple(_hashable(getattr(value, part.name)) for part in fields(value))
    return value


def _mask(value: str) -> str:
    del value
    return "***"

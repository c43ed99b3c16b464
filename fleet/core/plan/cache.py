"""A cache of plans: nodes with equal facts share their plan."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import fields, replace

from fleet.core.masking.shown_text import unified_diff
from fleet.core.model.facts import NodeFacts
from fleet.core.model.node import Node
from fleet.core.plan.planner import NodePlan, plan_node
from fleet.core.render.base import DesiredConfig

_OWN = {"hostname", "machine", "unit", "changed_at"}
"""Facts that differ between similar nodes; a plan reads only those of them that `_key` adds."""


class PlanCache:
    """A planner that plans nodes with equal facts and equal desired config once."""

    def __init__(self) -> None:
        self._plans: dict[Hashable, tuple[NodeFacts, DesiredConfig, NodePlan]] = {}

    def plan(
        self, node: Node, facts: NodeFacts, desired: DesiredConfig
    ) -> tuple[NodeFacts, NodePlan]:
        """Return a node's facts and plan; both share equal parts with those of other nodes."""
        key = _key(facts, desired)
        if key not in self._plans:
            plan = plan_node(node, facts, desired)
            refuse_unshown(plan)
            self._plans[key] = (facts, desired, plan)
        first, _, plan = self._plans[key]
        own = {name: getattr(facts, name) for name in _OWN}
        return replace(first, **own), replace(plan, node=node)


def refuse_unshown(plan: NodePlan) -> None:
    """Raise if a diff of the plan fails: the journal and the views of all nodes would fail too."""
    for change in plan.changes:
        unified_diff(change, _mask)


def _key(facts: NodeFacts, desired: DesiredConfig) -> Hashable:
    """Return all that a plan depends on; equal desired configs are one object."""
    unit = replace(facts.unit, main_pid=0, restarts=0, started=None)
    common = (
        _hashable(getattr(facts, fact.name)) for fact in fields(facts) if fact.name not in _OWN
    )
    return (id(desired), unit, facts.edited_not_loaded, *common)


def _hashable(value: object) -> object:
    return frozenset(value.items()) if isinstance(value, Mapping) else value


def _mask(value: str) -> str:
    del value
    return "***"

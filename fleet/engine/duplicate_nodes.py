"""The refusal of nodes that are the same machine: fleet changes none if several are selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fleet.core.failure import Failure, FailureKind, Step
from fleet.engine.survey import NodeSurvey


def refuse_duplicate_nodes(surveys: Sequence[NodeSurvey]) -> list[NodeSurvey]:
    """Fail the plans of nodes that are the same machine under several names.

    fleet does not choose one of the names: they may be in groups with different settings.
    """
    names: dict[str, list[str]] = {}
    for surveyed in surveys:
        if surveyed.facts is not None and surveyed.facts.machine.id:
            names.setdefault(surveyed.facts.machine.id, []).append(surveyed.node.name)
    return [_refused(surveyed, names) for surveyed in surveys]


def _refused(surveyed: NodeSurvey, names: dict[str, list[str]]) -> NodeSurvey:
    machine = surveyed.facts.machine.id if surveyed.facts else ""
    others = [name for name in names.get(machine, ()) if name != surveyed.node.name]
    if not others or surveyed.plan.failure is not None:
        return surveyed
    message = f"this node is the same machine as {', '.join(others)} in the inventory"
    remedy = f"keep one of the names, or leave out the others: -x {','.join(others)}"
    failure = Failure(FailureKind.CONFLICT, Step.PLAN, message, remedy)
    return replace(surveyed, plan=replace(surveyed.plan, failure=failure))

"""Nodes of the inventory that are the same machine: fleet changes none if several are selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fleet.core.failure import Failure, FailureKind
from fleet.engine.survey import Surveyed


def refuse_duplicate_nodes(found: Sequence[Surveyed]) -> list[Surveyed]:
    """Fail the plans of nodes that are the same machine under several names.

    fleet does not choose one of the names: they may be in groups with different settings.
    """
    names: dict[str, list[str]] = {}
    for each in found:
        if each.facts is not None and each.facts.machine:
            names.setdefault(each.facts.machine, []).append(each.node.name)
    return [_refused(each, names) for each in found]


def _refused(found: Surveyed, names: dict[str, list[str]]) -> Surveyed:
    machine = found.facts.machine if found.facts else ""
    others = [name for name in names.get(machine, ()) if name != found.node.name]
    if not others or found.plan.failure is not None:
        return found
    message = (
        f"is the same machine as {', '.join(others)}; leave one name in the inventory, or give"
        " --exclude with the others"
    )
    failure = Failure(FailureKind.CONFLICT, "plan", message)
    return replace(found, plan=replace(found.plan, failure=failure))

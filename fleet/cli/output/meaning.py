"""The meaning of plans as text: what changes for which registry, and on which nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.core.masking import Mark
from fleet.core.model.change import RestartCost
from fleet.core.plan.effect_text import effect_text
from fleet.core.plan.meaning import Aspect, Effect, plan_meaning
from fleet.core.plan.node_plan import NodePlan
from fleet.core.selection.ranges import compress
from fleet.core.text.counts import counted
from fleet.errors import printable

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True, slots=True)
class _Line:
    """The effects that several subjects share, their nodes, and how many of these restart."""

    texts: tuple[str, ...]
    nodes: tuple[str, ...]
    restarts: int


def print_meaning(plans: Sequence[NodePlan], out: Console, mark: Mark) -> None:
    """Print what plans change for each registry; the same change of many registries is a line."""
    changing = [plan for plan in plans if plan.changes and plan.failure is None]
    lines: dict[_Line, list[str]] = {}
    for subject, texts, nodes in _changes_of_subjects(changing, mark):
        restarts = sum(plan.restart.cost is RestartCost.RESTART for plan in nodes)
        line = _Line(texts, tuple(plan.node.name for plan in nodes), restarts)
        lines.setdefault(line, []).append(subject)
    for line, subjects in lines.items():
        about = counted(len(line.nodes), "node")
        if line.restarts:
            about += f", {counted(line.restarts, 'restart')}"
        if len(line.nodes) < len(changing):
            about += f" ({compress(line.nodes)})"
        text = f"{', '.join(subjects)}: {', '.join(line.texts)} \u00b7 {about}"
        out.print(printable(text), style="bold")


def _changes_of_subjects(
    plans: Sequence[NodePlan], mark: Mark
) -> Iterator[tuple[str, tuple[str, ...], list[NodePlan]]]:
    """Yield each subject with what changes, and the plans that change it so; files come last."""
    known: dict[int, list[tuple[Effect, ...]]] = {}
    groups: dict[tuple[Effect, ...], list[NodePlan]] = {}
    for plan in plans:
        if id(plan.changes) not in known:  # similar plans share their changes
            known[id(plan.changes)] = list(_by_subject(plan_meaning(plan.changes, mark)))
        for effects in known[id(plan.changes)]:
            groups.setdefault(effects, []).append(plan)
    for effects in sorted(groups, key=lambda it: (it[0].aspect is Aspect.FILE, it[0].subject)):
        texts = tuple(dict.fromkeys(map(effect_text, effects)))
        yield effects[0].subject, texts, groups[effects]


def _by_subject(effects: Sequence[Effect]) -> Iterator[tuple[Effect, ...]]:
    for subject in dict.fromkeys(effect.subject for effect in effects):
        yield tuple(effect for effect in effects if effect.subject == subject)

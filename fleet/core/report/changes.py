"""The changes of a rollout by registry, and apart: those in force, and those not applied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.core.plan.effect_text import effect_text
from fleet.core.plan.meaning import Aspect, Effect
from fleet.core.selection.ranges import compress

_Plans = Iterable[Mapping[str, Any]]
_Nodes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class RegistryChange:
    """A change of registries, the nodes where it is in force, and those where it is not."""

    subjects: tuple[str, ...]
    texts: tuple[str, ...]
    applied: str
    missing: str


def registry_changes(plans: _Plans, nodes: _Nodes) -> list[RegistryChange]:
    """Return what changed for which registry; the same change of many registries is one entry.

    A journal of an older release does not know the meaning of its plans: then there is none.
    """
    names: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for plan in plans:
        for subject, texts in _meaning(plan).items():
            names.setdefault((subject, tuple(texts)), []).extend(plan["nodes"])
    subjects: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (subject, words), members in names.items():
        subjects.setdefault((words, tuple(members)), []).append(subject)
    return [
        RegistryChange(
            tuple(group),
            texts,
            compress(name for name in members if _is_applied(nodes, name)),
            compress(name for name in members if not _is_applied(nodes, name)),
        )
        for (texts, members), group in subjects.items()
    ]


def applied_plans(plans: _Plans, nodes: _Nodes, *, applied: bool) -> Iterator[dict[str, Any]]:
    """Yield the plans with changes for only the nodes on which they are in force, or are not."""
    for plan in plans:
        members = [name for name in plan["nodes"] if _is_applied(nodes, name) is applied]
        if members and plan["changes"]:
            yield {**plan, "nodes": members, "node_ranges": compress(members)}


def _is_applied(nodes: _Nodes, name: str) -> bool:
    return nodes.get(name, {}).get("status") == "converged"


def _meaning(plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the texts of a plan's effects by subject, without those of another release."""
    texts: dict[str, list[str]] = {}
    for data in plan.get("meaning", ()):
        if data.get("aspect") in set(Aspect):
            effect = Effect(**{**data, "aspect": Aspect(data["aspect"])})
            shown = texts.setdefault(effect.subject, [])
            if (text := effect_text(effect)) not in shown:
                shown.append(text)
    return texts

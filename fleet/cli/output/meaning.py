"""The meaning of plans as text: what changes for which registry, and on which nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleet.core.model.change import RestartCost
from fleet.core.plan.meaning import Aspect, Effect, plan_meaning
from fleet.core.plan.node_plan import NodePlan
from fleet.core.selection.ranges import compress
from fleet.core.text.counts import counted
from fleet.errors import printable

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(slots=True)
class _Group:
    """The nodes with the same effects on one registry, and how many of them restart."""

    nodes: list[str] = field(default_factory=list)
    restarts: int = 0


def print_meaning(plans: Sequence[NodePlan], out: Console) -> None:
    """Print what plans change for each registry, once for all nodes with the same effects."""
    groups = _groups(plans)
    subjects = [effects[0].subject for effects in groups]
    for effects, group in groups.items():
        texts = ", ".join(dict.fromkeys(map(effect_text, effects)))
        about = counted(len(group.nodes), "node")
        if group.restarts:
            about += f", {counted(group.restarts, 'restart')}"
        split = subjects.count(effects[0].subject) > 1
        names = f" ({compress(group.nodes)})" if split else ""
        out.print(printable(f"{effects[0].subject}: {texts} \u00b7 {about}{names}"), style="bold")


def _groups(plans: Sequence[NodePlan]) -> dict[tuple[Effect, ...], _Group]:
    """Return the groups, sorted by subject; similar plans share their changes."""
    known: dict[int, list[tuple[Effect, ...]]] = {}
    groups: dict[tuple[Effect, ...], _Group] = {}
    for plan in plans:
        if plan.failure is not None:
            continue
        if id(plan.changes) not in known:
            known[id(plan.changes)] = list(_by_subject(plan_meaning(plan.changes)))
        for effects in known[id(plan.changes)]:
            group = groups.setdefault(effects, _Group())
            group.nodes.append(plan.node.name)
            group.restarts += plan.restart.cost is RestartCost.RESTART
    order = sorted(
        groups, key=lambda effects: (effects[0].aspect is Aspect.FILE, effects[0].subject)
    )
    return {effects: groups[effects] for effects in order}


def _by_subject(effects: Sequence[Effect]) -> Iterator[tuple[Effect, ...]]:
    for subject in dict.fromkeys(effect.subject for effect in effects):
        yield tuple(effect for effect in effects if effect.subject == subject)


_SETTING = "{item} {before} -> {after}"
_SECRET = ("{item} added", "{item} removed", "{item} changed")
_TEXTS = {
    Aspect.MIRROR: ("+ {item} {after}", "- {item}", ""),
    Aspect.REGISTRY: ("+ {after} (new)", "- {before} (no mirrors left)", ""),
    Aspect.ORDER: ("", "", "order {after}"),
    Aspect.SERVER: ("upstream {after}", "upstream itself", "upstream {before} -> {after}"),
    Aspect.FALLBACK: ("", "", "fallback {before} -> {after}"),
    Aspect.SETTING: (_SETTING, _SETTING, _SETTING),
    Aspect.CONFIG_PATH: (
        "config_path {after}",
        "config_path removed",
        f"config_path{_SETTING[6:]}",
    ),
    Aspect.TLS: ("TLS settings added", "TLS settings removed", "TLS settings changed"),
    Aspect.LOGIN: ("login added", "login removed", "login changed"),
    Aspect.CERTIFICATE: _SECRET,
    Aspect.FILE: ("file created", "file deleted", "file changed"),
}
"""The texts of an effect that adds, removes or changes something."""


def effect_text(effect: Effect) -> str:
    """Return one effect in words; an https:// URL is shown without its scheme."""
    texts = _SECRET if "there" in {effect.before, effect.after} else _TEXTS[effect.aspect]
    texts = _TEXTS[effect.aspect] if effect.aspect is not Aspect.SETTING else texts
    text = texts[0 if effect.before is None else 1 if effect.after is None else 2]
    values = {"item": effect.item, "before": effect.before, "after": effect.after}
    return text.format(
        **{key: (value or "unset").replace("https://", "") for key, value in values.items()}
    )

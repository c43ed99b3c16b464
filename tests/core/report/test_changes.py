"""Changes by registry: equal ones once, and apart where they are not in force."""

from __future__ import annotations

from typing import Any

from fleet.core.report.changes import RegistryChange, applied_plans, registry_changes
from tests.support.reports import node


def mirror(subject: str, url: str = "https://m.test") -> dict[str, Any]:
    return {"subject": subject, "aspect": "mirror", "item": url, "before": None, "after": "first"}


def plan(*nodes: str, meaning: list[dict[str, Any]], changes: int = 1) -> dict[str, Any]:
    change = {"path": "/x", "action": "create", "diff": "+x"}
    return {"nodes": list(nodes), "changes": [change] * changes, "meaning": meaning, "notes": []}


NODES = {"w1": node(), "w2": node("pending"), "w3": node("unchanged")}


def test_the_same_change_of_two_registries_is_one_entry() -> None:
    found = registry_changes(
        [plan("w1", "w2", meaning=[mirror("quay.io"), mirror("ghcr.io")])], NODES
    )

    assert found == [RegistryChange(("quay.io", "ghcr.io"), ("+ m.test first",), "w1", "w2")]


def test_nodes_of_several_plans_with_the_same_effect_are_together() -> None:
    first, second = (
        plan("w1", meaning=[mirror("a")]),
        plan("w2", meaning=[mirror("a"), mirror("b")]),
    )

    found = registry_changes([first, second], NODES)

    assert [(row.subjects, row.applied, row.missing) for row in found] == [
        (("a",), "w1", "w2"),
        (("b",), "", "w2"),
    ]


def test_a_journal_of_another_release_has_no_meaning_or_an_unknown_one() -> None:
    unknown = {**mirror("a"), "aspect": "of a later release"}
    old = {key: value for key, value in plan("w1", meaning=[]).items() if key != "meaning"}

    assert registry_changes([plan("w1", meaning=[unknown]), old], NODES) == []


def test_applied_changes_are_apart_from_pending_ones() -> None:
    plans = [plan("w1", "w2", meaning=[]), plan("w3", meaning=[], changes=0)]

    applied = list(applied_plans(plans, NODES, applied=True))
    missing = list(applied_plans(plans, NODES, applied=False))

    assert [(group["nodes"], group["node_ranges"]) for group in applied] == [(["w1"], "w1")]
    assert [(group["nodes"], group["node_ranges"]) for group in missing] == [(["w2"], "w2")]

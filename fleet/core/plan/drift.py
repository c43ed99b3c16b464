"""Drift: files that were changed, removed or added since fleet wrote them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from fleet.core.masking import Mark
from fleet.core.masking.shown_text import unified_diff
from fleet.core.model.facts import NodeFacts
from fleet.core.model.paths import file_key
from fleet.core.plan.authorship import guess_author
from fleet.core.plan.node_plan import NodePlan


class Drift(StrEnum):
    """The difference between a file and what fleet wrote."""

    CHANGED = "changed"
    MISSING = "missing"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class DriftedFile:
    """One file that drifted, the tool that seems to be its author, and the effect of a rollout.

    `changed_at` is seconds since the epoch by the node's clock, None if the file is gone. `diff` is
    what a rollout would change; it is empty if a rollout leaves the file alone.
    """

    path: str
    drift: Drift
    author: str
    changed_at: int | None
    diff: str

    @property
    def rollout(self) -> str:
        """Return what a rollout with the same flags does to the file."""
        if not self.diff:
            return "ignores it"
        return "recreates it" if self.drift is Drift.MISSING else "overwrites it (backup kept)"


def find_drift(facts: NodeFacts, plan: NodePlan, mark: Mark) -> tuple[DriftedFile, ...]:
    """Return the drifted files of a node, sorted by path; an unmanaged node has no drift."""
    diffs = {change.path: unified_diff(change, mark) for change in plan.changes}
    return tuple(
        DriftedFile(
            path,
            drift,
            guess_author(path, facts.files.get(path), facts),
            facts.paths.changed_at.get(path),
            diffs.get(path, ""),
        )
        for path, drift in sorted(drifted_paths(facts, plan))
    )


def drifted_paths(facts: NodeFacts, plan: NodePlan) -> Iterator[tuple[str, Drift]]:
    """Yield the paths that are not as fleet wrote them; an unmanaged node has none."""
    if not facts.state.files:
        return
    owned = {**facts.state.migrated, **facts.state.files}
    for path, digest in owned.items():
        file = facts.files.get(path)
        if file is None:
            yield path, Drift.MISSING
        elif file.digest != digest:
            yield path, Drift.CHANGED
    base = f"{plan.config.hosts_directory}/" if plan.config.hosts_directory else None
    known = {file_key(facts.paths.entries, path) for path in owned}
    for path in facts.files:
        if base and path.startswith(base) and file_key(facts.paths.entries, path) not in known:
            yield path, Drift.EXTRA

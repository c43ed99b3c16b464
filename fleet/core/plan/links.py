"""Symbolic links in hosts directories, and the rules by which a change may replace them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection
from dataclasses import replace

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.change import Change, ManagedFile, Tree
from fleet.core.model.facts import NodeFacts
from fleet.core.model.paths import Kind, Places
from fleet.core.plan.restart_cost import is_read_per_pull

LINK_TARGET = re.compile(r"[A-Za-z0-9_.:/@%+\[\]-]{1,4095}")
"""The text of a link that a generation can save."""


def with_targets(files: Tree, links: Collection[str], places: Places) -> dict[str, ManagedFile]:
    """Return the files of a node; add the target to those that are links fleet may replace.

    These are the files that containerd reads at every pull. Other files only keep their content.
    """
    targets = {path: _target(places, path) for path in links if is_read_per_pull(path)}
    return {
        path: replace(file, link=targets[path]) if targets.get(path) else file
        for path, file in files.items()
    }


def _target(places: Places, path: str) -> str:
    place = places.get(path)
    target = place.target if place is not None and place.kind is Kind.LINK else ""
    return target if LINK_TARGET.fullmatch(target) else ""


def refuse_link(facts: NodeFacts, change: Change) -> None:
    """Raise a NodeError for a link that a rollback could not restore, or that registries share.

    A change replaces the link and leaves its target alone, since other programs may own that.
    """
    path = change.path
    if path not in facts.paths.links:
        return
    if change.before is None or not change.before.link:
        message = f"{path} is a symbolic link, which fleet does not follow"
        name = shlex.quote(path)
        remedy = f'replace it by a file: cp --remove-destination "$(readlink -f {name})" {name}'
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)
    other = _shared_with(facts, path)
    if other:
        message = f"{path} is a symbolic link to {change.before.link}, and {other} is the same file"
        remedy = "replace the link by a file of its own for each registry"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)


def _shared_with(facts: NodeFacts, path: str) -> str:
    """Return the hosts.toml of another folder that is the same file; empty if there is none."""
    own = facts.paths.entries[path]
    for twin, place in sorted(facts.paths.entries.items()):
        one_link = (place.device, place.inode) == (own.device, own.inode)
        if twin.endswith("/hosts.toml") and not one_link and place.identity == own.leads:
            return twin
    return ""

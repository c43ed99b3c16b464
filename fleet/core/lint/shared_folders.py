"""Folders of several registries that are the same folder, by links or bind mounts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.change import Change
from fleet.core.model.facts import NodeFacts
from fleet.core.model.finding import Finding, FindingEffect
from fleet.core.model.paths import Identity, identity_of, real_path

_WITH_PORT = re.compile(r"(.+)_([0-9]+)_")


def registry_of(folder: str) -> str:
    """Return the registry that a folder is looked up for: `host_5000_` is `host:5000`."""
    return _WITH_PORT.sub(r"\1:\2", folder.rpartition("/")[2])


def shared_findings(facts: NodeFacts) -> Iterator[Finding]:
    """Yield one finding for each folder that several registries share."""
    for folders in _by_identity(facts).values():
        names = sorted({registry_of(folder) for folder in folders})
        if len(names) > 1:
            message = f"is one folder for {', '.join(names)}: a file written for one applies to all"
            yield Finding("shared-folder", FindingEffect.NOTES, folders[0], message)


def _by_identity(facts: NodeFacts) -> dict[Identity, list[str]]:
    """Group the folders of registries, which are those below a hosts directory."""
    above = {directory.rpartition("/")[0] for directory in facts.paths.directories}
    folders: dict[Identity, list[str]] = {}
    for folder in sorted(facts.paths.directories - above):
        identity = identity_of(facts.paths.entries, folder)
        if identity is not None and folder.rpartition("/")[0] in facts.paths.directories:
            folders.setdefault(identity, []).append(folder)
    return folders


def refuse_shared(changes: Iterable[Change], facts: NodeFacts) -> None:
    """Raise a NodeError for a change that would affect another registry than its own."""
    shared = _by_identity(facts)
    for change in changes:
        folder = change.path.rpartition("/")[0]
        own = identity_of(facts.paths.entries, folder)
        others = [
            other
            for other in (shared.get(own, ()) if own else ())
            if registry_of(other) != registry_of(folder)
        ]
        if others:
            names = ", ".join(map(registry_of, others))
            real = real_path(facts.paths.entries, folder)
            message = (
                f"{folder} and {', '.join(others)} are one folder"
                f" ({real}): a change for {registry_of(folder)} would apply to {names} as well"
            )
            remedy = "replace the link by a folder of its own for each registry"
            raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)

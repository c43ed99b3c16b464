"""Generations: the saved state of a node before a change."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.core.model.change import ManagedFile


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """One line of a generation's manifest: what stood at `path` before; None for absence.

    `saved` is the copy on the node. `copied` names its kind if it is not a copy of the file itself:
    a `folder` that was removed with its files, a `link` to a file with further hard links, or
    `odd` for something that was not a plain file and was moved there. A `directory` was made by
    the change.
    """

    path: str
    before: ManagedFile | None
    directory: bool = False
    copied: str = ""
    saved: str = ""

    @property
    def is_file(self) -> bool:
        """Return whether a plain file was there, or nothing."""
        return not self.directory and not self.copied


@dataclass(frozen=True, slots=True)
class Generation:
    """The saved state before one change on a node, with the directories that the change made.

    A generation that is `beside` is not part of the chain back from now, for instance an edit that
    a rollback found. `damage` names the file of it that is missing or not as it was saved; then
    none of it is used. `ill` is why the node was not healthy then.
    """

    id: str
    entries: tuple[ManifestEntry, ...]
    beside: bool = False
    damage: str = ""
    was_unhealthy: str = ""

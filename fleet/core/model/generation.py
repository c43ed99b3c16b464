"""Generations: the saved state of a node before a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from fleet.core.model.change import ManagedFile
from fleet.core.model.owned_state import STATE_FILE

PRUNED = ".pruned"
"""The end of the name of a generation that several old ones were merged into."""


DISPLACED = "-displaced"
"""The end of the name of a generation that holds edits by others, which a revert replaced."""


MISSING = "all of it"
"""The damage of a generation that fleet's record on the node names and that is not there."""


TOO_MANY = "too many saved files"
"""The damage of a generation that was not read whole, because the node has too many saved files."""


class SavedKind(StrEnum):
    """The kind of a saved copy that is not the copy of a file itself."""

    FOLDER = "folder"
    """A folder that was removed with its files."""
    LINK = "link"
    """A link to a file with further hard links."""
    ODD = "odd"
    """Something that was not a plain file, and was moved to the copy's path."""


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """A line of a generation's manifest: what was at `path` before, or None if nothing was.

    `saved` is the copy on the node, `copied` its kind if it is not a copy of the file itself. A
    `directory` was created by the change. Of an `unread` entry the copy was not read, and `before`
    is None: an older generation has saved the same path.
    """

    path: str
    before: ManagedFile | None
    directory: bool = False
    copied: SavedKind | None = None
    saved: str = ""
    unread: bool = False

    @property
    def is_file(self) -> bool:
        """Return whether the path had a plain file or nothing."""
        return not self.directory and self.copied is None


@dataclass(frozen=True, slots=True)
class SavedEdit:
    """An edit by others that a change or its revert replaced, and the copy of it on the node."""

    path: str
    copy: str
    digest: str


@dataclass(frozen=True, slots=True)
class Generation:
    """The saved state before one change on a node, with the directories that the change created.

    A generation that is `beside` is not in the chain of rollbacks from now on, for instance that
    of a rollback, or an edit that a rollback found. `damage` names the file in it that is missing
    or not as it was saved; then the generation is not used. `was_unhealthy` is why the node was
    unhealthy then.
    """

    id: str
    entries: tuple[ManifestEntry, ...]
    beside: bool = False
    damage: str = ""
    was_unhealthy: str = ""
    state_after: str = ""
    """The digest of fleet's record once the change was made, `-` for none; empty if unknown."""
    previous: str = ""
    """The generation before this one, by fleet's record before the change; empty for none."""

    @property
    def missing(self) -> bool:
        """Return whether fleet's record names this generation and the node does not have it."""
        return self.damage == MISSING

    @property
    def state_before(self) -> str:
        """Return the digest of fleet's record before the change, `-` for none."""
        states = [entry.before for entry in self.entries if entry.path == STATE_FILE]
        return states[0].digest if states and states[0] is not None else "-"


def find_unusable(generations: Sequence[Generation]) -> Generation | None:
    """Return one of these generations, the newest first, without which all are of no use.

    It is damaged, or none that is older has saved a path whose copy in it was not read.
    """
    read: set[str] = set()
    for generation in reversed(generations):
        unread = (entry for entry in generation.entries if entry.unread)
        lost = [entry.saved for entry in unread if entry.path not in read]
        if generation.damage or lost:
            return generation if generation.damage else replace(generation, damage=lost[0])
        read.update(entry.path for entry in generation.entries if entry.is_file)
    return None

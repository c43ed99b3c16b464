"""Files on a node, and changes to them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class ManagedFile:
    """A file's bytes with its mode and owner; `secret` if it holds a credential.

    `link` is the target if the path is a symbolic link; all other fields are of the file behind it.
    """

    content: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    secret: bool = False
    link: str = ""

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content in hex; for a link, `@` and its target."""
        return f"@{self.link}" if self.link else hashlib.sha256(self.content).hexdigest()


Tree = Mapping[str, ManagedFile]
"""Files by absolute path on the node; a missing key stands for a missing file."""


class Action(StrEnum):
    """The action of a change on a path."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class RestartCost(StrEnum):
    """The cost of a change for the node."""

    NONE = "none"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one path from `before` to `after`; None stands for a missing file."""

    path: str
    before: ManagedFile | None
    after: ManagedFile | None

    @property
    def action(self) -> Action:
        """Return the action, which follows from `before` and `after`."""
        if self.before is None:
            return Action.CREATE
        return Action.DELETE if self.after is None else Action.UPDATE

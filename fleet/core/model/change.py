"""Files on a node, and changes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class ManagedFile:
    """A file's bytes with its mode and owner; `secret` when it carries a credential.

    `link` is the target if a symbolic link is at the path; the rest is of the file behind it.
    """

    content: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    secret: bool = False
    link: str = ""

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content in hex; for a link `@` and its target."""
        return f"@{self.link}" if self.link else hashlib.sha256(self.content).hexdigest()


Tree = Mapping[str, ManagedFile]
"""Absolute node path -> file; a missing key is absence."""


class Action(StrEnum):
    """What happens to one path."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class RestartCost(StrEnum):
    """What a change costs the node."""

    NONE = "none"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Change:
    """One path going from `before` to `after`; None stands for absence."""

    path: str
    before: ManagedFile | None
    after: ManagedFile | None

    @property
    def action(self) -> Action:
        """Read off the two sides, so it cannot disagree with them."""
        if self.before is None:
            return Action.CREATE
        return Action.DELETE if self.after is None else Action.UPDATE

    def inverse(self) -> Change:
        """Return the change that undoes this one."""
        return Change(self.path, self.after, self.before)

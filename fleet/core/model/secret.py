"""Strings that are never shown."""

from __future__ import annotations


class Secret(str):
    """A string that no repr, log line or traceback shows."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Hide the value."""
        return "Secret('***')"

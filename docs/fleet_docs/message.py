"""A failure message as the reference shows it."""

from __future__ import annotations

from typing import NamedTuple

UNKNOWN = "…"
"""Stands for a part that differs each time."""


class Message(NamedTuple):
    """A failure's kind, its message and its remedy, with placeholders in capitals."""

    kind: str
    text: str
    remedy: str


def placeholder(name: str) -> str:
    """Return the placeholder for a variable, such as PATH."""
    return name.strip("_").upper()

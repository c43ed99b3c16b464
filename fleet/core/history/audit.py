"""The audit log of a node: its lines, and the rollouts that the logs of many nodes tell of."""

from __future__ import annotations

from collections.abc import Iterable

from fleet.core.masking import free_text
from fleet.core.masking.known import without_known

MESSAGE_LENGTH = 200
"""The most characters of a message; the rest is cut."""
_OPERATOR_LENGTH = 100


def clean_message(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a user's message as one line of bounded length, without secrets."""
    return _shortened(free_text(_one_line(without_known(text, secrets))), MESSAGE_LENGTH)


def clean_operator(text: str) -> str:
    """Return USER@HOST as one line of bounded length; both may come from the environment."""
    return _shortened(_one_line(text), _OPERATOR_LENGTH)


def _one_line(text: str) -> str:
    """Replace line breaks and control characters by spaces, and several spaces by one."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}\u2026"

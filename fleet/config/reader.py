"""Typed reading of Values: each mistake becomes a Problem, and reading goes on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from fleet.core.masking import visibility_at, without_logins
from fleet.core.text.yaml import MappingEntry, Value
from fleet.errors import Problem

_PART = re.compile(r"[^.\[\]]+")


class Reader:
    """Collects the problems of one file while it is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def error(self, at: Value, place: str, message: str) -> None:
        """Record a mistake at a value."""
        text = without_logins(f"{place}: {message}" if place else message)
        self.problems.append(Problem(self.file, at.line, at.column, text))

    def warn(self, at: Value, place: str, message: str) -> None:
        """Record a warning: something that works but should be looked at."""
        text = without_logins(f"{place}: {message}")
        self.warnings.append(Problem(self.file, at.line, at.column, text, "warning"))

    def mapping(self, value: Value, place: str) -> Mapping[str, MappingEntry]:
        """Return a mapping's entries; null counts as an empty mapping."""
        if value.data is None:
            return {}
        if isinstance(value.data, dict):
            return value.data
        self.error(value, place, f"expected a mapping, got {_shown(value, place)}")
        return {}

    def items(self, value: Value, place: str) -> tuple[Value, ...]:
        """Return a list's items."""
        if isinstance(value.data, tuple):
            return value.data
        self.error(value, place, f"expected a list, got {_shown(value, place)}")
        return ()

    def string(self, value: Value, place: str) -> str | None:
        """Return text; a number is returned as it is written in the file."""
        if isinstance(value.data, (str, int, float)) and not isinstance(value.data, bool):
            return value.text
        self.error(value, place, f"expected a string, got {_shown(value, place)}")
        return None

    def scalar(self, value: Value, place: str) -> str | None:
        """Return the text of any scalar as it is written: `yes` and `true` may be a password."""
        return value.text if isinstance(value.data, bool) else self.string(value, place)

    def integer(self, value: Value, place: str, least: int, most: int) -> int | None:
        """Return an integer from `least` to `most`."""
        if isinstance(value.data, int) and not isinstance(value.data, bool):
            if least <= value.data <= most:
                return value.data
            self.error(value, place, f"expected {least} to {most}, got {value.data}")
            return None
        self.error(value, place, f"expected an integer, got {_shown(value, place)}")
        return None

    def boolean(self, value: Value, place: str) -> bool | None:
        """Return true or false; also for YAML 1.1's words, which Ansible and k3s read."""
        words = {"yes": True, "y": True, "on": True, "no": False, "n": False, "off": False}
        if isinstance(value.data, bool):
            return value.data
        if isinstance(value.data, str) and value.data.lower() in words:
            return words[value.data.lower()]
        self.error(value, place, f"expected true or false, got {_shown(value, place)}")
        return None

    def choice(self, value: Value, place: str, words: Collection[str]) -> str | None:
        """Return the text if it is one of `words`."""
        if isinstance(value.data, str) and value.data in words:
            return value.data
        allowed = " or ".join(sorted(words))
        self.error(value, place, f"expected {allowed}, got {_shown(value, place)}")
        return None

    def known_keys(
        self, entries: Mapping[str, MappingEntry], place: str, known: Iterable[str]
    ) -> None:
        """Record an error for every unknown key, with the nearest known one."""
        names = tuple(known)
        for name, entry in entries.items():
            if name not in names:
                self.error(entry.key, place, unknown_key(name, names))


def unknown_key(name: str, known: Iterable[str]) -> str:
    """Return the message for an unknown key, with the nearest known one."""
    near = difflib.get_close_matches(name, tuple(known), 1, 0.6)
    hint = f' (did you mean "{near[0]}"?)' if near else ""
    return f'unknown key "{name}"{hint}'


def _shown(value: Value, place: str) -> str:
    data: Any = value.data
    if visibility_at(tuple(_PART.findall(place))).hidden:
        return value.kind
    if isinstance(data, (str, int, float)) and not isinstance(data, bool):
        return f'{value.kind.replace("a ", "the ").replace("an ", "the ")} "{value.text}"'
    return value.kind

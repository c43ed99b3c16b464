"""Parsed values of configuration files, made from plain data and read back as it."""

from __future__ import annotations

from typing import Any

from fleet.core.text.yaml import Value, parse_yaml


def scalar(data: Any, line: int = 1, column: int = 1) -> Value:
    """Return a scalar, or a tuple of values, at a place."""
    return Value(data, str(data), line, column)


def parsed(text: str) -> Value:
    """Return the value of a YAML text."""
    return parse_yaml(text, "f.yaml")


def plain(value: Value) -> Any:
    """Return a value as dicts, lists and scalars, without its places."""
    if isinstance(value.data, dict):
        return {name: plain(entry.value) for name, entry in value.data.items()}
    if isinstance(value.data, tuple):
        return [plain(item) for item in value.data]
    return value.data

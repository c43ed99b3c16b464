"""Placeholders of the first files, which the user has to replace before they are used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fleet.core.text.yaml import Value
from fleet.errors import Problem

PLACEHOLDER = "CHANGE_ME"


def placeholder_problems(root: Value, file: str) -> list[Problem]:
    """Return a problem for every placeholder that the user has not replaced."""
    return [
        Problem(file, value.line, value.column, f"replace {PLACEHOLDER} with {_meaning(path)}")
        for path, value in _scalars(root, ())
        if PLACEHOLDER in value.text
    ]


def without_placeholders(
    problems: Iterable[Problem], placeholders: Sequence[Problem]
) -> list[Problem]:
    """Return placeholders first, and the problems that other values have."""
    places = {(problem.line, problem.column) for problem in placeholders}
    others = [problem for problem in problems if (problem.line, problem.column) not in places]
    return [*placeholders, *others]


def _scalars(value: Value, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Value]]:
    """Yield keys and scalars with their paths; the path of a key ends with an empty text."""
    if isinstance(value.data, dict):
        for name, entry in value.data.items():
            yield (*path, ""), entry.key
            yield from _scalars(entry.value, (*path, name))
    elif isinstance(value.data, tuple):
        for item in value.data:
            yield from _scalars(item, path)
    else:
        yield path, value


def _meaning(path: tuple[str, ...]) -> str:
    """Return what belongs at a place."""
    if path[-2:] == ("hosts", ""):
        return "the name of a node, such as w1 or w[1-3]"
    if "endpoints" in path:
        return "the address of your mirror, such as mirror.example.net"
    return {
        "host": "the address of that node, such as 10.0.0.1",
        "user": "the login on the nodes, such as root",
        "verify": "an image that every node pulls after a change",
    }.get(path[-1] if path else "", "your own value")

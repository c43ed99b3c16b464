"""Edits of TOML that spare every byte outside the keys they are about.

Every edit is judged by parsing its result: it must hold exactly what was meant.
"""

from __future__ import annotations

import copy
import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from fleet.core.outcome import FailureKind, NodeError
from fleet.core.toml_text import (
    Path,
    Statement,
    dotted,
    newline_of,
    statements,
    toml_value,
)

Setting = str | bool | list[str]


def dig(data: Any, path: Path) -> Any:
    """Follow `path` into nested tables; None where it ends early."""
    for key in path:
        if not isinstance(data, Mapping) or key not in data:
            return None
        data = data[key]
    return data


def set_key(text: str, table: Path, key: str, value: Setting) -> str:
    """Set one key of one table, and return `text` with every other byte as it was."""
    data = tomllib.loads(text)
    current = dig(data, table)
    if isinstance(current, dict) and current.get(key) == value:
        return text
    wanted = _with(data, table, key, value)
    for candidate in _candidates(text, table, key, value):
        if _parsed(candidate) == wanted:
            return candidate
    place = dotted((*table, key))
    raise _refused(f"cannot set {place} without touching other lines; set it by hand")


def remove(text: str, paths: Iterable[Path]) -> str:
    """Remove keys and tables with all they hold; a path that is not there is no mistake."""
    for path in paths:
        text = _without(text, path)
    return text


def _without(text: str, path: Path) -> str:
    data = tomllib.loads(text)
    if dig(data, path) is None:
        return text
    wanted = pruned(_dropped(data, path))
    for candidate in (_cut(text, path), _unedited(text, path)):
        parsed = None if candidate is None else _parsed(candidate)
        if candidate is not None and parsed is not None and pruned(parsed) == wanted:
            return candidate
    raise _refused(f"cannot remove {dotted(path)} without touching other lines; do it by hand")


# -- writing a key ---------------------------------------------------------------------------


def _candidates(text: str, table: Path, key: str, value: Setting) -> Iterator[str]:
    """Yield ways to write the edit, the gentlest first."""
    found = list(statements(text))
    for each in found:
        if each.path == (*table, key) and not each.header:
            old = text[each.value : each.value_end]
            new = toml_value(value, "'" if old.startswith(("'", "['")) else '"')
            yield text[: each.value] + new + text[each.value_end :]
    yield from _inserted(text, found, table, f"{key} = {toml_value(value)}")
    yield from _dotted_beside(text, found, table, f"{key} = {toml_value(value)}")
    yield _appended(text, table, f"{key} = {toml_value(value)}")
    with_library = _edited(text, table, key, value)
    if with_library is not None:
        yield with_library


def _inserted(text: str, found: list[Statement], table: Path, line: str) -> Iterator[str]:
    """Put a line below the header of its table, after the keys that stand there."""
    for number, each in enumerate(found):
        if not (each.header and each.path == table and not each.array):
            continue
        last = each
        for follower in found[number + 1 :]:
            if follower.header:
                break
            last = follower
        indent = _indent(text, last) + ("  " if last is each else "")
        yield _with_line(text, last.end, indent + line)


def _dotted_beside(text: str, found: list[Statement], table: Path, line: str) -> Iterator[str]:
    """Put a dotted key beside those that make the table without a header of its own."""
    above: Path = ()
    for each in found:
        if each.header:
            above = each.path
        elif each.below(table) and len(above) < len(table) and len(each.path) > len(table):
            head = dotted(table[len(above) :])
            yield _with_line(text, each.end, f"{_indent(text, each)}{head}.{line}")


def _appended(text: str, table: Path, line: str) -> str:
    """Put a new table at the end; a file that had no last line end gets none."""
    newline = newline_of(text)
    block = f"[{dotted(table)}]{newline}  {line}"
    if text and not text.endswith("\n"):
        return f"{text}{newline}{newline}{block}"
    return f"{text}{newline if text else ''}{block}{newline}"


def _with_line(text: str, at: int, line: str) -> str:
    newline = newline_of(text)
    if at == len(text) and not text.endswith("\n"):
        return f"{text}{newline}{line}"
    return f"{text[:at]}{line}{newline}{text[at:]}"


def _indent(text: str, each: Statement) -> str:
    line = text[each.start : each.end]
    return line[: len(line) - len(line.lstrip(" \t"))]


# -- taking out ------------------------------------------------------------------------------


def _cut(text: str, path: Path) -> str:
    """Cut out every run of statements below `path`, with the comments inside the run."""
    runs: list[list[Statement]] = []
    previous: Statement | None = None
    for each in statements(text):
        if not each.below(path):
            previous = None
            continue
        if previous is None:
            runs.append([])
        runs[-1].append(each)
        previous = each
    for run in reversed(runs):
        text = _cut_run(text, run)
    return text


def _cut_run(text: str, run: list[Statement]) -> str:
    start, end = run[0].start, run[-1].end
    before, after = text[:start], text[end:]
    newline = newline_of(text)
    if not after and not text.endswith("\n"):
        before = before.removesuffix(newline)
        return before.removesuffix(newline) if run[0].header else before
    blank_below = not after or after.startswith(("\n", "\r\n"))
    if run[0].header and blank_below and before.endswith(f"\n{newline}"):
        before = before[: -len(newline)]
    elif run[0].header and blank_below and before == newline:
        before = ""
    return before + after


# -- what stands inside inline tables is tomlkit's ---------------------------------------------


def _edited(text: str, table: Path, key: str, value: Setting) -> str | None:
    def assign(document: Any) -> None:
        for name in table:
            document = document[name]
        document[key] = value

    return _by_library(text, assign, key)


def _unedited(text: str, path: Path) -> str | None:
    def delete(document: Any) -> None:
        for name in path[:-1]:
            document = document[name]
        del document[path[-1]]

    return _by_library(text, delete, path[-1])


def _by_library(text: str, change: Any, key: str) -> str | None:
    """Edit with tomlkit; None where tomlkit itself cannot keep this file as it is."""
    try:
        document = tomlkit.parse(text)
        if tomlkit.dumps(document) != text:
            return None
        change(document)
        result = tomlkit.dumps(document)
    except (TOMLKitError, KeyError, AttributeError, TypeError, ValueError, IndexError):
        return None
    if "\r\n" in text:
        result = re.sub(r"(?<!\r)\n", "\r\n", result)
    return result if _spares(text, result, key) else None


def _spares(before: str, after: str, key: str) -> bool:
    """Say whether no line went but the one that holds `key`."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    gone = [
        old[a1:a2] for tag, a1, a2, _, _ in matcher.get_opcodes() if tag in {"replace", "delete"}
    ]
    return len(gone) <= 1 and all(key in "".join(lines) for lines in gone)


# -- what an edit must come to -----------------------------------------------------------------


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _with(data: dict[str, Any], table: Path, key: str, value: Any) -> dict[str, Any]:
    result = copy.deepcopy(data)
    place = result
    for name in table:
        place = place.setdefault(name, {})
        if not isinstance(place, dict):
            raise _refused(f"{dotted(table)}: {name} is no table; mend the file by hand")
    place[key] = value
    return result


def _dropped(data: dict[str, Any], path: Path) -> dict[str, Any]:
    result = copy.deepcopy(data)
    del dig(result, path[:-1])[path[-1]]
    return result


def pruned(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data less its empty tables, which say nothing."""
    pairs = ((k, pruned(v) if isinstance(v, dict) else v) for k, v in data.items())
    return {key: value for key, value in pairs if value != {}}


def _refused(message: str) -> NodeError:
    return NodeError(FailureKind.UNSUPPORTED, "plan", message)

"""Edits of TOML that leave every byte outside the edited keys as it is."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.text.counts import counted
from fleet.core.text.documents import DocumentError, parse_toml
from fleet.core.text.toml_scan import Path, dotted, statements, toml_value
from fleet.core.text.toml_splice import Entry, Setting, append, cut, indent, put, whole_line

MOST_BY_LIBRARY = 100_000
"""The most characters of a file that are given to tomlkit; it takes seconds for more."""


_MOST_ONE_BY_ONE = 40
"""The most keys that are set one by one if they cannot be set together."""


def dig(data: Any, path: Path) -> Any:
    """Return the value at `path` in nested tables; None if there is none."""
    for key in path:
        if not isinstance(data, Mapping) or key not in data:
            return None
        data = data[key]
    return data


def set_key(text: str, table: Path, key: str, value: Setting) -> str:
    """Set one key of one table, and return `text` with every other byte as it was."""
    return set_keys(text, [(table, key, value)])


def set_keys(text: str, entries: Iterable[Entry]) -> str:
    """Set keys of tables, and return `text` with every other byte as it was."""
    data = parse_toml(text)
    missing = [entry for entry in entries if not _is_set(data, entry)]
    if not missing:
        return text
    candidate = put(text, missing)
    if _try_parse(candidate) == _with_entries(data, missing):
        return candidate
    if len(missing) > _MOST_ONE_BY_ONE:
        place = dotted((*missing[0][0], missing[0][1]))
        more = counted(len(missing) - 1, "more key")
        message = f"fleet cannot set {place} and {more} without changing other lines"
        raise _refused(message, "set them by hand")
    for entry in missing:
        text = _set_one(text, entry)
    return text


def _is_set(data: Any, entry: Entry) -> bool:
    table, key, value = entry
    current = dig(data, table)
    return isinstance(current, dict) and current.get(key) == value


def _set_one(text: str, entry: Entry) -> str:
    """Set one key, if necessary in an inline table."""
    data = parse_toml(text)
    expected = _with_entries(data, [entry])
    for candidate in _edits_of_one(text, entry):
        if candidate is not None and _try_parse(candidate) == expected:
            return candidate
    place = dotted((*entry[0], entry[1]))
    raise _refused(f"fleet cannot set {place} without changing other lines", "set it by hand")


def _edits_of_one(text: str, entry: Entry) -> Iterator[str | None]:
    """Yield ways to write the edit, those that change the fewest lines first."""
    table, key, value = entry
    yield put(text, [entry])
    yield from _dotted_beside(text, table, f"{key} = {toml_value(value)}")
    yield append(text, entry)
    yield _set_by_library(text, table, key, value)


def _dotted_beside(text: str, table: Path, line: str) -> Iterator[str]:
    """Add a dotted key beside the ones that define the table; it has no header of its own."""
    above: Path = ()
    for statement in statements(text):
        if statement.header:
            above = statement.path
        elif (
            statement.below(table) and len(above) < len(table) and len(statement.path) > len(table)
        ):
            new = f"{indent(text, statement)}{dotted(table[len(above) :])}.{line}"
            yield (
                text[: statement.end] + whole_line(text, statement.end, new) + text[statement.end :]
            )


def remove(text: str, paths: Iterable[Path]) -> str:
    """Remove keys and tables with all they hold; ignore paths that are not there."""
    data = parse_toml(text)
    present = [path for path in dict.fromkeys(paths) if dig(data, path) is not None]
    if not present:
        return text
    expected = pruned(_without_paths(data, present))
    for candidate in _removals(text, present):
        parsed = None if candidate is None else _try_parse(candidate)
        if candidate is not None and parsed is not None and pruned(parsed) == expected:
            return candidate
    names = dotted(present[0]) + (f" and {len(present) - 1} more" if present[1:] else "")
    raise _refused(f"fleet cannot remove {names} without changing other lines", "remove it by hand")


def _removals(text: str, paths: list[Path]) -> Iterator[str | None]:
    """Yield ways to write the removal, those that change the fewest lines first."""
    shorter = cut(text, paths)
    yield shorter
    data = _try_parse(shorter)
    left = [path for path in paths if data is not None and dig(data, path) is not None]
    if left and len(left) < len(paths):
        yield _delete_by_library(shorter, left)
    yield _delete_by_library(text, paths)


# -- inline tables, which tomlkit edits -----------------------------------------------------------


def _set_by_library(text: str, table: Path, key: str, value: Setting) -> str | None:
    def assign(document: Any) -> None:
        for name in table:
            if name not in document:
                document[name] = tomlkit.inline_table()
            document = document[name]
        document[key] = value

    return _edit_by_library(text, assign, [(*table, key)])


def _delete_by_library(text: str, paths: list[Path]) -> str | None:
    def delete(document: Any) -> None:
        for path in paths:
            above = document
            for name in path[:-1]:
                above = above[name]
            del above[path[-1]]

    return _edit_by_library(text, delete, paths)


def _edit_by_library(text: str, change: Any, paths: Collection[Path]) -> str | None:
    """Edit with tomlkit; return None if tomlkit cannot reproduce the file or edit it."""
    if len(text) > MOST_BY_LIBRARY:
        return None
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
    return result if _changes_only(text, result, paths) else None


def _changes_only(before: str, after: str, paths: Collection[Path]) -> bool:
    """Return whether only lines of statements about one of `paths` were removed or changed."""
    targets = set(paths)
    above = {path[:size] for path in targets for size in range(1, len(path) + 1)}
    sizes = sorted({len(path) for path in targets})
    allowed = Counter[str]()
    for statement in statements(before):
        below = any(statement.path[:size] in targets for size in sizes)
        if below or (statement.path in above and not statement.header):
            allowed.update(before[statement.start : statement.end].splitlines())
    removed = Counter(before.splitlines()) - Counter(after.splitlines())
    return not removed - allowed


# -- the intended result of an edit ------------------------------------------------------------


def _try_parse(text: str) -> Mapping[str, Any] | None:
    try:
        return parse_toml(text)
    except DocumentError:
        return None


def _with_entries(data: Mapping[str, Any], entries: Iterable[Entry]) -> dict[str, Any]:
    result = copy.deepcopy(dict(data))
    for table, key, value in entries:
        place = result
        for name in table:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                message = f"{dotted(table)}: {name} is not a table"
                raise _refused(message, "fix the file by hand")
        place[key] = value
    return result


def _without_paths(data: Mapping[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
    result = copy.deepcopy(dict(data))
    for path in paths:
        above = dig(result, path[:-1])
        if isinstance(above, dict):  # otherwise a path above it was removed already
            above.pop(path[-1], None)
    return result


def pruned(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data without its empty tables, which set nothing."""
    pairs = (
        (key, pruned(value) if isinstance(value, dict) else value) for key, value in data.items()
    )
    return {key: value for key, value in pairs if value != {}}


def _refused(message: str, remedy: str) -> NodeError:
    return NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)

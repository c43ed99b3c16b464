"""A YAML parser that keeps the line and column of each value.

It reads the scalars of YAML 1.2, and refuses duplicate keys and tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from fleet.errors import ConfigErrors, Problem

_MOST_NODES = 1_000_000
_DEEPEST = 40
_PREFIX = "tag:yaml.org,2002:"
_INDENT = re.compile(r"[ \t]*")
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    """A loader with the scalars of YAML 1.2 only: `on` is a string, and so is `22:22`."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


for _kind, _pattern, _starts in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(_PREFIX + _kind, re.compile(f"^(?:{_pattern})$"), list(_starts))


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a file with its place; `data` is a scalar, a tuple of Values, or a dict."""

    data: Any
    text: str
    line: int
    column: int

    @property
    def kind(self) -> str:
        """Return the kind of the value, for messages."""
        names = {bool: "a boolean", int: "an integer", float: "a number", str: "a string"}
        if self.data is None:
            return "nothing"
        return names.get(type(self.data), "a list" if isinstance(self.data, tuple) else "a mapping")


@dataclass(frozen=True, slots=True)
class MappingEntry:
    """A key of a mapping, with its own place, and its value."""

    key: Value
    value: Value


def parse_yaml(text: str, name: str, problems: list[Problem] | None = None) -> Value:
    """Parse YAML text; `name` is the file's name for messages.

    Duplicate keys and tags are added to `problems`, so that the caller can report them with its
    own. Without that list they raise ConfigErrors; text that is not YAML always does.
    """
    try:
        _refuse_depth(text, name)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise ConfigErrors([_syntax_problem(error, text, name)]) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        message = f"not valid YAML: {str(error).splitlines()[0]}"
        raise ConfigErrors([Problem(name, 1, 1, message)]) from error
    if root is None:
        return Value({}, "", 1, 1)
    builder = _Builder(name)
    value = builder.build(root, 0)
    if builder.problems and problems is None:
        raise ConfigErrors(builder.problems)
    if problems is not None:
        problems += builder.problems
    return value


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, name: str) -> Problem:
    """Return the problem of a text that is not YAML, in plain words where they are known."""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines()
    indent = _INDENT.match(lines[line - 1]) if line <= len(lines) else None
    if indent is not None and "\t" in indent[0]:
        at = indent[0].index("\t") + 1
        return Problem(name, line, at, "a tab cannot indent YAML: use spaces")
    deep = "nesting depth" in (error.problem or "")  # newer libyaml limits the depth itself
    message = "nested too deeply" if deep else f"not valid YAML: {error.problem}"
    return Problem(name, line, column, message)


@dataclass(frozen=True, slots=True)
class ListSpan:
    """The offsets of a list and its items in a text; `flow` is the form in brackets."""

    start: int
    end: int
    flow: bool
    items: tuple[tuple[int, int], ...]


def list_spans(text: str, path: tuple[str | int, ...]) -> ListSpan | None:
    """Return the place of the list at a path of keys and indices; None if there is none.

    None also for a list that is an alias or has aliases as items, since its text is elsewhere.
    """
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    at = 0
    for key in path:
        node = _child(node, key)
        if node is None or node.start_mark.index < at:
            return None
        at = node.start_mark.index
    if not isinstance(node, yaml.SequenceNode):
        return None
    items = tuple((child.start_mark.index, _end(child)) for child in node.value)
    edges = [at, *(edge for item in items for edge in item), node.end_mark.index]
    if edges != sorted(edges):
        return None
    return ListSpan(at, node.end_mark.index, bool(node.flow_style), items)


def _end(node: Any) -> int:
    """Return where a node's own text ends; PyYAML's end of a block includes later comments."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _end(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _end(node.value[-1])
    return int(node.end_mark.index)


def _child(node: Any, key: str | int) -> Any:
    """Return a child of a node; None for an alias, whose text is above its own place."""
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
        above, child = node.value[:key], next(iter(node.value[key:]), None)
    elif isinstance(node, yaml.MappingNode):
        name, child = next((pair for pair in node.value if pair[0].value == key), (None, None))
        above = [name]
    else:
        return None
    if child is None or any(child.start_mark.index < item.end_mark.index for item in above):
        return None
    return child


def plain(value: Value) -> Any:
    """Return a value without its places: scalars, lists and mappings."""
    if isinstance(value.data, tuple):
        return [plain(item) for item in value.data]
    if isinstance(value.data, dict):
        return {key: plain(entry.value) for key, entry in value.data.items()}
    return value.data


def integer(text: str) -> int | str:
    """Return the integer; a text with more digits than any setting has is returned as it is."""
    if len(text) > 20:
        return text
    return int(text, 0) if text[:2] in {"0x", "0o"} else int(text)


def _refuse_depth(text: str, name: str) -> None:
    """Refuse deep nesting by the events alone: libyaml's composer would overflow the C stack."""
    depth = 0
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            mark: Any = event.start_mark
            raise ConfigErrors([Problem(name, mark.line + 1, mark.column + 1, "nested too deeply")])


class _Builder:
    """Turns PyYAML's nodes into Values, and collects problems that YAML itself allows."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0
        self.problems: list[Problem] = []

    def build(self, node: Any, depth: int) -> Value:
        self._count += 1
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        if depth > _DEEPEST or self._count > _MOST_NODES:
            message = "nested too deeply, or too large"
            raise ConfigErrors([Problem(self._name, line, column, message)])
        if isinstance(node, yaml.MappingNode):
            return Value(self._mapping(node, depth), "", line, column)
        if isinstance(node, yaml.SequenceNode):
            items = tuple(self.build(item, depth + 1) for item in node.value)
            return Value(items, "", line, column)
        return Value(self._scalar(node, line, column), node.value, line, column)

    def _scalar(self, node: Any, line: int, column: int) -> Any:
        kind = node.tag.removeprefix(_PREFIX)
        text = node.value
        match kind:
            case "str":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int" | "float":
                try:
                    return integer(text) if kind == "int" else float(text)
                except ValueError:  # only a tag makes such a text a number
                    self.problems.append(Problem(self._name, line, column, "this is not a number"))
                    return text
            case _:
                pass
        self.problems.append(Problem(self._name, line, column, _tag_problem(node.tag)))
        return text

    def _mapping(self, node: Any, depth: int) -> dict[str, MappingEntry]:
        entries: dict[str, MappingEntry] = {}
        merged: dict[str, MappingEntry] = {}
        for key_node, value_node in node.value:
            key = self.build(key_node, depth + 1) if key_node.tag != _PREFIX + "merge" else None
            if key is None:
                for entry in self._merged_entries(value_node, depth):
                    merged.setdefault(entry.key.text, entry)
                continue
            if isinstance(key.data, (tuple, dict)):
                self._add_problem(key, "a key must be a text, not a list or a mapping")
                continue
            if key.text in entries:
                first = entries[key.text].key.line
                message = f'the key "{key.text}" is listed twice (first on line {first})'
                self._add_problem(key, message)
                continue
            entries[key.text] = MappingEntry(key, self.build(value_node, depth + 1))
        return {**{name: entry for name, entry in merged.items() if name not in entries}, **entries}

    def _merged_entries(self, node: Any, depth: int) -> Iterator[MappingEntry]:
        value = self.build(node, depth + 1)
        for mapping in value.data if isinstance(value.data, tuple) else (value,):
            if isinstance(mapping.data, dict):
                yield from mapping.data.values()

    def _add_problem(self, value: Value, message: str) -> None:
        self.problems.append(Problem(self._name, value.line, value.column, message))


def _tag_problem(tag: str) -> str:
    """Return the message for a tag; hide a custom tag, which may be a password with a `!`."""
    if tag.startswith(_PREFIX):
        return f"the tag {tag} is not supported"
    return "custom tags are not supported; put a text that begins with ! in quotes"

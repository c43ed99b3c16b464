"""Edits of YAML text: entries of mappings are set or removed, and every other byte stays.

New text is quoted, so that every resolver of YAML 1.1 and 1.2 reads it as a string. The result is
parsed again and compared with the intended one; if they differ, the edit is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from fleet.core.text.yaml_values import (
    NULL,
    Path,
    YamlEditError,
    key_text,
    means,
    with_entry,
    yaml_block,
    yaml_flow,
    yaml_tree,
)

_ALIAS = re.compile(r"[\s:,-]*\*[^\s,\[\]{}]+")


_COMMENT = re.compile(r"( *)#[^\n]*(?:\n|$)")


_OTHER_BREAK = re.compile("\r(?!\n)|[\x85\u2028\u2029]")


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def edit_yaml(text: str, wanted: Mapping[Path, Any], gone: frozenset[Path] = frozenset()) -> str:
    """Return the text with entries set and others removed, each named by its path of keys.

    Values are strings, booleans, and lists and mappings of them. An entry that already has
    the wanted value stays as it is written.
    """
    mark, body = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    if _OTHER_BREAK.search(body):
        message = "has line endings other than LF and CRLF"
        raise YamlEditError(message)
    edits = {**dict.fromkeys(sorted(gone - set(wanted))), **wanted}
    editor = _Editor(body, "\r\n" if "\r\n" in body else "\n")
    root = compose_yaml(body)
    expected = yaml_tree(root)
    editor.change(_Entry((), None, root), edits)
    changed = editor.text()
    for path in editor.done:
        expected = with_entry(expected, path, edits[path])
    if not _parses_as(changed, expected):
        message = "cannot be edited without changing other lines"
        raise YamlEditError(message)
    return mark + changed


def _parses_as(text: str, expected: Any) -> bool:
    try:
        return bool((yaml_tree(compose_yaml(text)) or {}) == (expected or {}))
    except YamlEditError:
        return False


def compose_yaml(text: str) -> Any:
    """Return the root node of a text; raise a YamlEditError if it is not one YAML document."""
    try:
        return yaml.compose(text.removeprefix("\ufeff"), Loader=_Loader)
    except (yaml.YAMLError, ValueError) as error:
        message = "could not be read as YAML"
        raise YamlEditError(message) from error


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of a mapping: its path, and the nodes of its key and value."""

    path: Path
    key: Any
    value: Any

    @property
    def alias(self) -> bool:
        """Return whether the value is an alias, whose text is elsewhere."""
        return self.key is not None and self.value.start_mark.index < self.key.end_mark.index

    @property
    def name(self) -> str:
        """Return the name of the entry for messages."""
        return ".".join(self.path) or "the document"


@dataclass(slots=True)
class _Editor:
    """Collects replacements of spans of a text."""

    source: str
    newline: str
    done: list[Path] = field(default_factory=list)
    _spans: list[tuple[int, int, str]] = field(default_factory=list)

    def text(self) -> str:
        """Return the text with all replacements made."""
        parts: list[str] = []
        at = 0
        for start, end, new in sorted(self._spans, key=lambda span: span[:2]):
            if start < at:
                message = "has entries that share their lines"
                raise YamlEditError(message)
            parts.append(self.source[at:start])
            needs_newline = (
                new.endswith("\n") and start == len(self.source) and self._lacks_newline(parts)
            )
            parts.append(f"{self.newline if needs_newline else ''}{new}")
            at = end
        return "".join((*parts, self.source[at:]))

    def _lacks_newline(self, parts: list[str]) -> bool:
        last = next((part for part in reversed(parts) if part), "")
        return bool(last) and not last.endswith("\n")

    def change(self, entry: _Entry, edits: Mapping[Path, Any]) -> bool:
        """Make all changes below one mapping; return whether it is left without entries."""
        node = entry.value
        depth = len(entry.path)
        if node is None or (isinstance(node, yaml.ScalarNode) and node.tag == NULL):
            self._fill_empty(entry, _nested(edits, depth), edits)
            return False
        if not isinstance(node, yaml.MappingNode) or entry.alias:
            if not any(value is not None for value in edits.values()):
                return False
            message = f"{entry.name} is not a mapping (but an alias, a list or a text)"
            raise YamlEditError(message)
        present = {}
        for key, value in node.value:
            name = key_text(key)
            present[name] = _Entry((*entry.path, name), key, value)
        removed: list[str] = []
        added: dict[str, Any] = {}
        for name in dict.fromkeys(path[depth] for path in edits):
            below = {path: value for path, value in edits.items() if path[depth] == name}
            if name not in present:
                added.update(_nested(below, depth))
                self.done += [path for path, value in below.items() if value is not None]
            elif self._change_entry(present[name], below):
                removed.append(name)
        emptied = bool(present) and len(removed) == len(present) and not added
        if not emptied or entry.key is None:
            self._edit_entries(node, present, removed, added)
        return emptied

    def _change_entry(self, entry: _Entry, edits: Mapping[Path, Any]) -> bool:
        """Change one entry that is there; return whether it is to be removed."""
        if entry.path not in edits:
            return self.change(entry, edits)
        value = edits[entry.path]
        if value is None:
            self.done.append(entry.path)
            return True
        if not means(entry.value, value):
            self._replace(entry, value)
            self.done.append(entry.path)
        return False

    def _replace(self, entry: _Entry, value: Any) -> None:
        node = entry.value
        if entry.alias:
            message = f"{entry.name} is an alias"
            raise YamlEditError(message)
        start, end = node.start_mark.index, self._end(entry)
        block = isinstance(node, yaml.CollectionNode) and not node.flow_style
        if block and node.start_mark.line > entry.key.end_mark.line and isinstance(value, Mapping):
            lines = yaml_block(value, node.start_mark.column, self.newline)
            first = self._line_start(start)
            self._splice(first, self._line_end(end), lines)
        else:
            self._splice(start, end, f" {yaml_flow(value)}" if start == end else yaml_flow(value))

    def _fill_empty(
        self, entry: _Entry, value: Mapping[str, Any], edits: Mapping[Path, Any]
    ) -> None:
        """Add entries to a mapping that is empty."""
        if not value:
            return
        self.done += [path for path, wanted in edits.items() if wanted is not None]
        if entry.key is None:
            self._splice(len(self.source), len(self.source), yaml_block(value, 0, self.newline))
            return
        node = entry.value
        start, end = node.start_mark.index, node.end_mark.index
        if node.start_mark.line != entry.key.end_mark.line or entry.alias:
            message = f"{entry.name} has an empty value that fleet cannot edit"
            raise YamlEditError(message)
        self._splice(start, end, "")
        after = self._line_end(end)
        self._splice(after, after, yaml_block(value, entry.key.start_mark.column + 2, self.newline))

    def _edit_entries(
        self, node: Any, present: Mapping[str, _Entry], removed: list[str], added: Mapping[str, Any]
    ) -> None:
        """Remove entries from a mapping and append others."""
        if not removed and not added:
            return
        if node.flow_style:
            self._edit_flow(node, present, removed, added)
            return
        entries = list(present.values())
        for name in removed:
            start = self._line_start(present[name].key.start_mark.index)
            self._splice(start, self._line_end(self._end(present[name])), "")
        if added:
            indent = entries[0].key.start_mark.column
            after = self._comments_end(self._line_end(self._end(entries[-1])), indent)
            self._splice(after, after, yaml_block(added, indent, self.newline))

    def _edit_flow(
        self, node: Any, present: Mapping[str, _Entry], removed: list[str], added: Mapping[str, Any]
    ) -> None:
        spans = [
            (name, entry.key.start_mark.index, self._end(entry)) for name, entry in present.items()
        ]
        last = node.start_mark.index + 1
        left = [at for at, span in enumerate(spans) if span[0] not in removed]
        new = yaml_flow(added)[1:-1] if added else ""
        for at, (name, start, _) in enumerate(spans):
            if name in removed and left and at < left[-1]:
                self._splice(start, spans[at + 1][1], "")
        if left:
            last = spans[left[-1]][2]
            new = f", {new}" if new else ""
        elif spans:
            last = spans[0][1]
        end = spans[-1][2] if spans and (not left or left[-1] < len(spans) - 1) else last
        self._splice(last, end, new)

    def _splice(self, start: int, end: int, new: str) -> None:
        self._spans.append((start, end, new))

    def _end(self, entry: _Entry) -> int:
        return _end(entry.value, self.source, int(entry.key.end_mark.index))

    def _comments_end(self, at: int, indent: int) -> int:
        """Return the end of comments with deeper indentation, which belong to the entry above."""
        comment = _COMMENT.match(self.source, at)
        while comment and comment.end() > at and len(comment[1]) > indent:
            at = comment.end()
            comment = _COMMENT.match(self.source, at)
        return at

    def _line_start(self, at: int) -> int:
        return self.source.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        """Return where the next line begins; the end of the text if there is none."""
        newline = self.source.find("\n", at)
        return len(self.source) if newline < 0 else newline + 1


def _end(node: Any, text: str, earliest: int) -> int:
    """Return where a node's own text ends; the parser's end mark of a block includes comments.

    The text starts at `earliest` or later; the marks of an alias are those of its anchor.
    """
    if node.start_mark.index < earliest:
        alias = _ALIAS.match(text, earliest)
        if alias is None:
            message = "has an alias of an unknown anchor"
            raise YamlEditError(message)
        return alias.end()
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        key, value = node.value[-1]
        return _end(value, text, int(key.end_mark.index))
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        start = int(node.start_mark.index)
        floor = _end(node.value[-2], text, start) if len(node.value) > 1 else start
        return _end(node.value[-1], text, floor)
    start, end = int(node.start_mark.index), int(node.end_mark.index)
    return start + len(text[start:end].rstrip())


def _nested(edits: Mapping[Path, Any], depth: int) -> dict[str, Any]:
    """Return wanted entries as nested mappings, with their paths from `depth` on."""
    tree: dict[str, Any] = {}
    for path, value in edits.items():
        if value is None:
            continue
        level = tree
        for name in path[depth:-1]:
            level = level.setdefault(name, {})
        level[path[-1]] = value
    return tree

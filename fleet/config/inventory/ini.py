"""Reader of Ansible's INI inventories and of plain lists of hosts, as the tree that YAML gives.

Sections are `[group]`, `[group:vars]` and `[group:children]`. Hosts before the first section
belong to no group. A plain list is a file without sections and variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fleet.config.reader import Reader
from fleet.core.text.yaml import MappingEntry, Value, integer

_SECTION = re.compile(r"\[([^\]:]+)(?::(vars|children|hosts))?\]")


# A quote that is not closed reaches to the end of its line. If it did not, the search for its end
# would be repeated from every further quote, and take the square of the line's length.
_WORD = re.compile(r"""(?:[^\s"'#]|"(?:[^"\\]|\\.|\\$)*+"?|'[^']*+'?|(?<=\S)#)++""")


_QUOTED = re.compile(r""""((?:[^"\\]|\\.|\\$)*+)"?|'([^']*+)'?""")


_PORT = re.compile(r"(.*[^:\]]|.*\]):([0-9]{1,5})")


_INTEGER = re.compile(r"[-+]?[0-9]+")


Tree = dict[str, Any]


def looks_like_ini(text: str) -> bool:
    """Return whether a text has an INI section, or is a plain list of hosts."""
    lines = (line.strip() for line in text.splitlines())
    content = [line for line in lines if line and not line.startswith(("#", ";"))]
    if any(_SECTION.fullmatch(line.split("#")[0].strip()) for line in content):
        return True
    plain = re.compile(r"[A-Za-z0-9_.\[\],-]+(:[0-9]+)?(\s+[A-Za-z_]\w*=.*)?")
    return bool(content) and all(plain.fullmatch(line) for line in content)


def parse_ini(text: str, reader: Reader) -> Value:
    """Parse a text into an inventory's tree; mistakes are added to `reader`."""
    return _Ini(reader).read(text)


class _Ini:
    """A parser: the groups read so far, and the current section."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._groups: dict[str, Tree] = {}
        self._group("all", _word("all", 1, 1))
        self._section = ("all", "hosts")

    def read(self, text: str) -> Value:
        for number, line in enumerate(text.splitlines(), 1):
            content = line.strip()
            if not content or content[0] in "#;":
                continue
            if content.startswith("["):
                self._open(line, number)
            elif self._section[1] == "hosts":
                self._host(line, number)
            elif self._section[1] == "vars":
                self._variable(line, number)
            else:
                self._child(line, number)
        return _mapping({name: _entry(group) for name, group in self._groups.items()})

    def _group(self, name: str, key: Value) -> Tree:
        return self._groups.setdefault(name, {"key": key, "hosts": {}, "vars": {}, "children": {}})

    def _open(self, line: str, number: int) -> None:
        match = _SECTION.fullmatch(line.split("#", maxsplit=1)[0].strip())
        if match is None:
            at = _word(line.strip(), number, _column(line, line.strip()))
            self._reader.error(
                at,
                "",
                f"{line.strip()!r} is not a section such as [group:vars]",
            )
            return
        name, kind = match[1].strip(), match[2] or "hosts"
        name = "all" if name == "ungrouped" else name
        self._group(name, _word(name, number, _column(line, name)))
        self._section = (name, kind)

    def _host(self, line: str, number: int) -> None:
        words = list(_words(line, number))
        if not words:
            return
        name, given = words[0], {}
        if match := _PORT.fullmatch(name.text):
            name = _word(match[1], number, name.column)
            given["ansible_port"] = MappingEntry(name, _scalar(match[2], number, name.column))
        for word in words[1:]:
            key, mark, value = word.text.partition("=")
            if not mark:
                self._reader.error(word, name.text, f"{word.text!r} is not key=value")
                continue
            place = _word(key, number, word.column)
            given[key] = MappingEntry(
                place, _scalar(_unquoted(value), number, word.column + len(key) + 1)
            )
        hosts = self._groups[self._section[0]]["hosts"]
        before = hosts[name.text].value.data if name.text in hosts else {}
        hosts[name.text] = MappingEntry(name, Value({**before, **given}, "", number, name.column))

    def _variable(self, line: str, number: int) -> None:
        key, mark, value = (part.strip() for part in line.partition("="))
        at = _word(key, number, _column(line, key))
        if not mark:
            self._reader.error(at, f"{self._section[0]}:vars", f"{key!r} is not key=value")
            return
        scalar = _scalar(_unquoted(value), number, _column(line, value) if value else 1)
        self._groups[self._section[0]]["vars"][key] = MappingEntry(at, scalar)

    def _child(self, line: str, number: int) -> None:
        for word in list(_words(line, number))[:1]:
            self._groups[self._section[0]]["children"][word.text] = MappingEntry(
                word, _nothing(word)
            )


def _entry(group: Tree) -> MappingEntry:
    key = group["key"]
    body = {
        name: MappingEntry(key, Value(group[name], "", key.line, key.column))
        for name in ("hosts", "vars", "children")
        if group[name]
    }
    return MappingEntry(key, Value(body, "", key.line, key.column))


def _words(line: str, number: int) -> Iterator[Value]:
    """Split a line as a shell does; a # after a space begins a comment."""
    position = 0
    while match := _WORD.search(line, position):
        between = line[position : match.start()]
        if "#" in between:
            return
        yield _word(match[0], number, match.start() + 1)
        position = match.end()


def _unquoted(text: str) -> str:
    """Remove the quotes around a value, or around a part of it."""
    return _QUOTED.sub(lambda match: match[1] if match[1] is not None else match[2], text)


def _scalar(text: str, line: int, column: int) -> Value:
    """Read a value as Ansible does: text that looks like a number or a boolean is one."""
    data: object = text
    if _INTEGER.fullmatch(text):
        data = integer(text)
    elif text in {"True", "true", "False", "false"}:
        data = text.lower() == "true"
    return Value(data, text, line, column)


def _word(text: str, line: int, column: int) -> Value:
    return Value(text, text, line, column)


def _nothing(at: Value) -> Value:
    return Value(None, "", at.line, at.column)


def _mapping(entries: dict[str, MappingEntry]) -> Value:
    return Value(entries, "", 1, 1)


def _column(line: str, part: str) -> int:
    return line.find(part) + 1

"""Edits of a TOML text in one pass: the cost grows with the text, not with their number."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from fleet.core.text.toml_scan import Path, Statement, dotted, newline_of, statements, toml_value

Setting = str | bool | list[str]


Entry = tuple[Path, str, Setting]
"""A table, a key in it, and the value to set."""


def put(text: str, entries: Iterable[Entry]) -> str:
    """Return `text` with every entry set: in place, beside keys of its table, or in a new table."""
    index = _Index(text)
    changes: list[tuple[int, int, str]] = []
    new_tables: dict[Path, list[str]] = {}
    for table, key, value in entries:
        present = index.values.get((*table, key))
        if present is not None:
            changes.append((present.value, present.value_end, _value_like(text, present, value)))
            continue
        line = f"{key} = {toml_value(value)}"
        place = index.place(table, line)
        if place is None:
            new_tables.setdefault(table, []).append(line)
        else:
            at, new = place
            changes.append((at, at, whole_line(text, at, new)))
    return _spliced(text, changes) + _blocks(
        _spliced_end(text, changes), new_tables, newline_of(text)
    )


def append(text: str, entry: Entry) -> str:
    """Return `text` with a new table at its end for one entry."""
    table, key, value = entry
    return text + _blocks(text[-1:], {table: [f"{key} = {toml_value(value)}"]}, newline_of(text))


def add_header(text: str, table: Path) -> str:
    """Return `text` with an empty table at its end."""
    return text + _blocks(text[-1:], {table: []}, newline_of(text))


def whole_line(text: str, at: int, line: str) -> str:
    """Return the text to insert at `at` so that it becomes a line of its own."""
    newline = newline_of(text)
    if at == len(text) and not text.endswith("\n"):
        return f"{newline}{line}"
    return f"{line}{newline}"


def _value_like(text: str, present: Statement, value: Setting) -> str:
    """Write a value with the quotes of the present one."""
    old = text[present.value : present.value_end]
    return toml_value(value, "'" if old.startswith(("'", "['")) else '"')


class _Index:
    """Positions of the tables and keys of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.values: dict[Path, Statement] = {}
        self.headers: dict[Path, tuple[Statement, Statement]] = {}
        self.dotted: dict[Path, tuple[Path, Statement]] = {}
        above: Statement | None = None
        for statement in statements(text):
            if statement.header:
                above = statement
                if not statement.array:
                    self.headers[statement.path] = (statement, statement)
                continue
            self.values.setdefault(statement.path, statement)
            head: Path = above.path if above else ()
            if above is not None and not above.array:
                self.headers[head] = (above, statement)
            for size in range(len(head) + 1, min(len(statement.path), len(head) + _DEEPEST)):
                self.dotted.setdefault(statement.path[:size], (head, statement))

    def place(self, table: Path, line: str) -> tuple[int, str] | None:
        """Return where to insert a line of a table, and its text; None if the table is new."""
        if table in self.headers:
            header, last = self.headers[table]
            return last.end, indent(self.text, last) + ("  " if last is header else "") + line
        if table in self.dotted:
            head, beside = self.dotted[table]
            name = dotted(table[len(head) :])
            return beside.end, f"{indent(self.text, beside)}{name}.{line}"
        return None


_DEEPEST = 12
"""The most levels of dotted keys at which tables are looked for; containerd's are less deep."""


def indent(text: str, statement: Statement) -> str:
    """Return the white space that a statement's line begins with."""
    line = text[statement.start : statement.end]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _spliced(text: str, changes: Sequence[tuple[int, int, str]]) -> str:
    pieces, at = [], 0
    for start, end, new in sorted(changes, key=lambda change: change[:2]):
        pieces += [text[at:start], new]
        at = end
    return "".join((*pieces, text[at:]))


def _spliced_end(text: str, changes: Sequence[tuple[int, int, str]]) -> str:
    """Return the end of a spliced text, to decide which line endings to append."""
    last = [new for start, _, new in changes if start == len(text)]
    return last[-1] if last else text[-2:]


def _blocks(before: str, tables: dict[Path, list[str]], newline: str) -> str:
    """Write new tables for the end of a text; if its last line has no line ending, add none."""
    whole = before.endswith("\n") or not before
    blocks: list[str] = []
    for table, lines in tables.items():
        block = newline.join((f"[{dotted(table)}]", *(f"  {line}" for line in lines)))
        if whole:
            first = not before and not blocks
            blocks.append(f"{'' if first else newline}{block}{newline}")
        else:
            blocks.append(f"{newline}{newline}{block}")
    return "".join(blocks)


# -- removal --------------------------------------------------------------------------------------


def cut(text: str, paths: Collection[Path]) -> str:
    """Remove every run of statements below one of `paths`, with the comments inside the run."""
    targets = set(paths)
    sizes = sorted({len(path) for path in targets})
    runs: list[list[Statement]] = []
    inside = False
    for statement in statements(text):
        below = any(statement.path[:size] in targets for size in sizes)
        if below and not inside:
            runs.append([])
        if below:
            runs[-1].append(statement)
        inside = below
    pieces: list[str] = []
    right = len(text)
    for run in reversed(runs):
        between = text[run[-1].end : right]
        pieces += [between] if between else []
        right = _removal_start(text, run, pieces[-1] if pieces else "")
    return "".join((text[:right], *reversed(pieces)))


def _removal_start(text: str, run: Sequence[Statement], after: str) -> int:
    """Return where a removal begins; include the blank line above if two would be left."""
    start, header = run[0].start, run[0].header
    newline = newline_of(text)
    if not after and not text.endswith("\n"):
        for _ in range(2 if header else 1):
            start -= len(newline) if text.endswith(newline, 0, start) else 0
        return start
    blank_below = not after or after.startswith(("\n", "\r\n"))
    above = text[max(0, start - len(newline) - 1) : start]
    if header and blank_below and above.endswith(f"\n{newline}"):
        return start - len(newline)
    alone = start == len(newline) and text.startswith(newline)
    return 0 if header and blank_below and alone else start

"""The console, and the printing of JSON and tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any, cast

import click

from fleet.cli.output.fitting import padded, wrap
from fleet.cli.output.styles import STATE_COLUMNS, state_style
from fleet.core.masking import clean_data, without_logins
from fleet.core.selection.ranges import compress
from fleet.errors import columns as cells
from fleet.errors import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def print_json(data: Any) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(clean_data(data), indent=2, ensure_ascii=True))


class _WithoutLogins:
    """A stream that removes the logins from URLs in all text."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(without_logins(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def console(*, color: bool, stderr: bool = False) -> Console:
    """Return a console without color if --no-color is given or there is not a terminal."""
    from rich.console import Console  # noqa: PLC0415 - a late import keeps `--help` fast

    class FittingConsole(Console):
        """A console that breaks long lines of text between words on a terminal."""

        def print(self, *objects: Any, **options: Any) -> None:
            if self.is_terminal and len(objects) == 1 and isinstance(objects[0], str):
                objects = ("\n".join(wrap(objects[0], self.width)),)
            super().print(*objects, **options)

    stream = sys.stderr if stderr else sys.stdout
    return FittingConsole(
        width=None if stream.isatty() else 200,
        file=cast("IO[str]", _WithoutLogins(stream)),
        no_color=not color,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    out: Console,
    hidden: Collection[str] = (),
) -> None:
    """Print a table, a line for each row; `hidden` names columns that are left out.

    On a terminal the last columns that do not fit go below their row. Of many rows, those that
    differ in their first column alone share a row; it holds the names of nodes.
    """
    shown = [number for number, column in enumerate(columns) if column not in hidden]
    heads = [columns[number] for number in shown]
    cut = [[printable(row[number]) for number in shown] for row in rows]
    lines = _merge_rows(cut) if len(cut) > _MANY and heads[:1] == ["NODE"] else cut
    widths = [max(map(cells, column)) for column in zip(heads, *lines, strict=True)]
    fitting = _fitting(widths, out.width) if out.is_terminal else len(heads)
    out.print(_row(heads[:fitting], widths), style="bold", soft_wrap=True)
    for line in lines:
        out.print(_styled_row(heads, line[:fitting], widths), soft_wrap=True)
        _print_below(heads[fitting:], line[fitting:], out)


def _print_below(heads: Sequence[str], line: Sequence[str], out: Console) -> None:
    """Print the cells that do not fit below their row: in one line if that fits, else in many."""
    parts = [
        f"{head.lower().rstrip(' .')}: {cell}" if head else cell
        for head, cell in zip(heads, line, strict=True)
        if cell.strip() not in {"", "-"}
    ]
    together = "  ".join(parts)
    for part in [together] if cells(together) + 2 <= out.width else parts:
        if part:
            out.print(f"  {part}")


_MANY = 20
"""The most rows that are printed one by one, whatever they hold."""


def _merge_rows(rows: Sequence[list[str]]) -> list[list[str]]:
    """Return the rows with equal ones merged; the first cell names all of their nodes."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, *rest in rows:
        groups.setdefault(tuple(rest), []).append(name)
    return [
        [names[0] if len(names) == 1 else f"{compress(names)} ({len(names)})", *rest]
        for rest, names in groups.items()
    ]


def _fitting(widths: Sequence[int], most: int) -> int:
    """Return how many columns fit side by side; the first one counts as if it did."""
    used = widths[0]
    for number, width in enumerate(widths[1:], 1):
        used += width + 1
        if used > most:
            return number
    return len(widths)


def _row(line: Sequence[str], widths: Sequence[int]) -> str:
    return " ".join(map(padded, line, widths)).rstrip()


def _styled_row(heads: Sequence[str], line: Sequence[str], widths: Sequence[int]) -> Text | str:
    """Return a row, with color if it holds a state."""
    if not any(head in STATE_COLUMNS for head in heads):
        return _row(line, widths)
    from rich.text import Text  # noqa: PLC0415

    text = Text()
    for head, cell, width in zip(heads, line, widths, strict=False):
        text.append(padded(cell, width), state_style(cell) if head in STATE_COLUMNS else "")
        text.append(" ")
    text.rstrip()
    return text

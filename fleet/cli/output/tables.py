"""The console, and the printing of JSON and tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any, cast

import click

from fleet.cli.output.fitting import wrap
from fleet.core.masking import clean_data, without_logins
from fleet.errors import printable

if TYPE_CHECKING:
    from rich.console import Console


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


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], out: Console) -> None:
    """Print a table in the form that fits the output.

    A pipe, or a terminal that is wide enough, gets a line for each row. A narrower terminal gets
    cells over several lines. A very narrow one gets the cells of a row below each other.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    needed = sum(widths) + len(widths)
    if not out.is_terminal or needed <= out.width:
        for number, row in enumerate((columns, *cells)):
            padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            out.print(
                " ".join(padded).rstrip(), style="bold" if not number else None, soft_wrap=True
            )
    elif out.width >= 80 and needed <= 2 * out.width:
        _folded_table(columns, cells, out)
    else:
        for first, *rest in cells:
            out.print(first, style="bold")
            for column, cell in zip(columns[1:], rest, strict=True):
                if cell.strip():
                    out.print(f"  {column.lower()}: {cell}" if column else f"  {cell}")


def _folded_table(columns: Sequence[str], cells: Iterable[Sequence[str]], out: Console) -> None:
    from rich.table import Table  # noqa: PLC0415

    grid = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in cells:
        grid.add_row(*row)
    out.print(grid, soft_wrap=False)

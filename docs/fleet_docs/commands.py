"""The reference of the commands, from the click command tree."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

import click

from fleet.cli.app import fleet
from fleet.cli.help import examples, options, sections
from fleet_docs.markdown import code, fence, prose

_MANY = 8
"""An option that so many commands have is described once."""


def page() -> str:
    """Return a section for each command, the shared options last."""
    parts: list[str] = []
    for title, names in sections(fleet).items():
        parts += [f"## {title}"]
        for name in names:
            parts += _command(f"fleet {name}", fleet.commands[name], 3)
    parts += ["## Shared options", "Most commands take these."]
    parts += [_option(*record) for record in _shared()]
    return "\n\n".join(parts)


def _command(name: str, command: click.Command, level: int) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    yield f"{'#' * level} {name}"
    yield fence(f"{name} {' '.join(command.collect_usage_pieces(context))}")
    yield from _paragraphs(command.help or "")
    rows = examples(name)
    if rows:
        yield fence("\n".join(f"# {meaning}\nfleet {line}" for line, meaning in rows), "sh")
    yield from _options(context)
    if isinstance(command, click.Group):
        for inner, subcommand in command.commands.items():
            yield from _command(f"{name} {inner}", subcommand, level + 1)


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        if paragraph.startswith("\b"):
            yield fence(paragraph.lstrip("\b\n"))
        else:
            yield prose(" ".join(paragraph.split()))


def _options(context: click.Context) -> Iterator[str]:
    shared = []
    for title, rows in options(context).items():
        own = [row for row in rows if row not in _shared()]
        shared += [row for row in rows if row in _shared()]
        if own:
            yield f"**{title}**"
            yield from (_option(*row) for row in own)
    if shared:
        yield f"And the [shared options](#shared-options): {', '.join(_names(shared))}."


def _names(rows: list[tuple[str, str]]) -> Iterator[str]:
    yield from (code(names.partition(" ")[0].rstrip(",")) for names, _ in rows)


def _option(names: str, text: str) -> str:
    return f"`{names}`\n: {prose(' '.join(text.split()))}"


@cache
def _shared() -> tuple[tuple[str, str], ...]:
    """Return the options that many commands have with the same text."""
    counts = Counter(
        row
        for command in fleet.commands.values()
        for rows in options(click.Context(command)).values()
        for row in rows
    )
    return tuple(row for row, count in counts.items() if count >= _MANY)

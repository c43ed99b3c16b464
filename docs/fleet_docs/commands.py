"""The reference of the commands, from the click command tree."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

import click

from fleet.cli.app import fleet
from fleet.cli.examples import EXAMPLES
from fleet_docs.markdown import code, fence, prose

_MANY = 8
"""An option that so many commands have is described once."""


def page() -> str:
    """Return a section for each command, the shared options last."""
    parts: list[str] = []
    for name, command in fleet.commands.items():
        parts += _section(name, command, 2)
    parts += ["## Shared options", "Most commands take these."]
    parts += [_option(*record) for record in _shared().values()]
    return "\n\n".join(parts)


@cache
def _shared() -> dict[str, tuple[str, str]]:
    """Return the options that most commands have with the same help."""
    contexts = [click.Context(command) for command in fleet.commands.values()]
    records = [record for context in contexts for record in _records(context)]
    counts = Counter(records)
    return {names: (names, text) for (names, text) in counts if counts[names, text] >= _MANY}


def _records(context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1] and "--help" not in parameter.opts:
            yield record


def _option(names: str, text: str) -> str:
    return f"`{names}`\n: {prose(' '.join(text.split()))}"


def _section(name: str, command: click.Command, level: int) -> Iterator[str]:
    context = click.Context(command, info_name=f"fleet {name}")
    yield f"{'#' * level} fleet {name}"
    usage = " ".join(command.collect_usage_pieces(context))
    yield fence(f"fleet {name} {usage}")
    yield from _paragraphs(command.help or "")
    if name in EXAMPLES:
        yield fence("\n".join(f"# {why}\nfleet {line}" for line, why in EXAMPLES[name]), "sh")
    yield from _options(context)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            subcommand = command.get_command(context, inner)
            if subcommand is not None:
                yield from _section(f"{name} {inner}", subcommand, level + 1)


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        if paragraph.startswith("\b"):
            yield fence(paragraph.lstrip("\b\n"))
        else:
            yield prose(" ".join(paragraph.split()))


def _options(context: click.Context) -> Iterator[str]:
    records = list(_records(context))
    yield from (_option(*record) for record in records if record not in _shared().values())
    names = ", ".join(code(names) for names, text in records if (names, text) in _shared().values())
    if names:
        yield f"And the [shared options](#shared-options): {names}."

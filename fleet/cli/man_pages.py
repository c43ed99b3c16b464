"""Man pages made from the command tree: fleet(1), and one for each command."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from fleet import __version__
from fleet.cli.examples import EXAMPLES
from fleet.cli.options import Exit
from fleet.errors import FleetError
from fleet.home import expanded

_EXITS = {
    Exit.OK: "done, or nothing to do",
    Exit.FAILED: "nodes failed, were rolled back or were unreachable, within the budget",
    Exit.USAGE: "bad usage or bad files; nothing was touched",
    Exit.HALTED: "halted: budget spent, stale plan, or a node held by another rollout",
    Exit.DIFFERENT: "diff --exit-code, drift --exit-code: there are differences",
    Exit.DEGRADED: "a node is degraded (neither config is proven): manual repair needed",
    Exit.INTERRUPTED: "interrupted; fleet resume goes on",
}


def write(group: click.Group, folder: str) -> dict[str, str]:
    """Write all pages into a folder, which is created if it does not exist; return their paths."""
    target = expanded(folder)
    paths = {}
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, text in pages(group):
            path = target / f"{name}.1"
            path.write_text(text, encoding="utf-8")
            paths[name] = str(path)
    except OSError as error:
        raise FleetError(f"{target}: cannot be written ({error.strerror})") from error
    return paths


def pages(group: click.Group) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every page."""
    context = click.Context(group, info_name="fleet")
    yield "fleet", "\n".join((*_head("fleet", group), *_index(group), *_rest(context, "fleet")))
    for name, command in group.commands.items():
        full = f"fleet-{name}"
        inner = click.Context(command, info_name=f"fleet {name}", parent=None)
        parts = (*_head(full, command), *_about(inner), *_inner(command), *_rest(inner, name))
        yield full, "\n".join(parts)


def _head(title: str, command: click.Command) -> Iterator[str]:
    summary = (command.help or "").split("\n")[0].rstrip(".")
    yield f'.TH {_escape(title.upper())} 1 "" "fleet {__version__}" "fleet"'
    yield from (".SH NAME", rf"{_escape(title)} \- {_escape(summary[:1].lower() + summary[1:])}")


def _about(context: click.Context) -> Iterator[str]:
    usage = " ".join(context.command.collect_usage_pieces(context))
    yield from (".SH SYNOPSIS", rf"\fB{_escape(context.info_name or '')}\fR {_escape(usage)}")
    yield ".SH DESCRIPTION"
    paragraphs = re.split(r"\n\s*\n", (context.command.help or "").strip())
    yield "\n.PP\n".join(_escape(" ".join(paragraph.split())) for paragraph in paragraphs)


def _index(group: click.Group) -> Iterator[str]:
    yield from (".SH SYNOPSIS", r"\fBfleet\fR COMMAND [OPTIONS] [ARGS]...", ".SH COMMANDS")
    for name, command in group.commands.items():
        yield from (
            ".TP",
            rf"\fBfleet\-{_escape(name)}\fR(1)",
            _escape(command.get_short_help_str(200)),
        )


def _inner(command: click.Command) -> Iterator[str]:
    """Yield the sections for the subcommands of a command."""
    for name, subcommand in command.commands.items() if isinstance(command, click.Group) else ():
        yield f".SH {_escape(name.upper())}"
        yield _escape(" ".join((subcommand.help or "").split()))
        yield from _options(click.Context(subcommand, info_name=name))


def _options(context: click.Context) -> Iterator[str]:
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1]:  # some releases of click list bare arguments
            yield from (".TP", rf"\fB{_escape(record[0])}\fR", _escape(record[1]))


def _rest(context: click.Context, name: str) -> Iterator[str]:
    yield ".SH OPTIONS"
    yield from _options(context)
    if name in EXAMPLES:
        yield ".SH EXAMPLES"
        for line, meaning in EXAMPLES[name]:
            yield from (".TP", rf"\fBfleet {_escape(line)}\fR", _escape(meaning))
    yield ".SH EXIT STATUS"
    for code, meaning in _EXITS.items():
        yield from (".TP", rf"\fB{code.value}\fR", _escape(meaning))
    yield ".SH FILES"
    yield from (".TP", "inventory.yaml, mirrors.yaml", "the nodes, and who mirrors what")
    yield from (".TP", _escape(".fleet/journal.db"), "what was done, beside the inventory")
    yield from (".TP", "/var/lib/fleet", "on a node: what it was before, and the audit log")
    yield ".SH SEE ALSO"
    yield r"\fBfleet\fR(1), \fBcontainerd\fR(8), \fBssh_config\fR(5)"


def _escape(text: str) -> str:
    """Escape a text for troff: no line becomes a request, and hyphens can be copied."""
    safe = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    return rf"\&{safe}" if safe.startswith((".", "\\(aq")) else safe

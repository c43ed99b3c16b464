"""Man pages made from the command tree: fleet(1), and one for each command."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

from fleet import __version__
from fleet.cli.help import examples, options, sections, summary
from fleet.cli.options import Exit
from fleet.errors import FleetError
from fleet.home import expanded

EXITS = {
    Exit.OK: "done, or there was nothing to do",
    Exit.FAILED: "nodes failed, were rolled back or were unreachable, within --max-failures",
    Exit.USAGE: "bad usage or bad files; nothing was touched",
    Exit.HALTED: "halted: too many failures, a gate of the cluster or etcd that did not pass, a"
    " stale plan, a locked node or journal, or a journal that cannot be written",
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
    yield "fleet", "\n".join((*_head("fleet", group), *_index(group), *_rest(context)))
    for name, command in group.commands.items():
        full = f"fleet-{name}"
        names = group.context_settings.get("help_option_names")
        inner = click.Context(command, info_name=f"fleet {name}", help_option_names=names)
        parts = (
            *_head(full, command),
            *_about(inner),
            *_examples(inner),
            *_inner(command),
            *_rest(inner),
        )
        yield full, "\n".join(parts)


def _head(title: str, command: click.Command) -> Iterator[str]:
    text = summary(command)
    yield f'.TH {_escape(title.upper())} 1 "" "fleet {__version__}" "fleet"'
    yield from (".SH NAME", rf"{_escape(title)} \- {_escape(text[:1].lower() + text[1:])}")


def _about(context: click.Context) -> Iterator[str]:
    usage = " ".join(context.command.collect_usage_pieces(context))
    yield from (".SH SYNOPSIS", rf"\fB{_escape(context.info_name or '')}\fR {_escape(usage)}")
    yield ".SH DESCRIPTION"
    paragraphs = re.split(r"\n\s*\n", (context.command.help or "").strip())
    yield "\n.PP\n".join(_escape(" ".join(paragraph.split())) for paragraph in paragraphs)


def _index(group: click.Group) -> Iterator[str]:
    yield from (".SH SYNOPSIS", r"\fBfleet\fR COMMAND [OPTIONS] [ARGS]...", ".SH COMMANDS")
    for title, names in sections(group).items():
        yield f".SS {_escape(title)}"
        for name in names:
            page = rf"\fBfleet\-{_escape(name)}\fR(1)"
            yield from (".TP", page, _escape(summary(group.commands[name])))


def _examples(context: click.Context) -> Iterator[str]:
    rows = examples(context.command_path)
    if rows:
        yield ".SH EXAMPLES"
    for line, meaning in rows:
        yield from (".TP", rf"\fBfleet {_escape(line)}\fR", _escape(meaning))


def _inner(command: click.Command) -> Iterator[str]:
    """Yield the sections for the subcommands of a command."""
    for name, subcommand in command.commands.items() if isinstance(command, click.Group) else ():
        yield f".SH {_escape(name.upper())}"
        yield _escape(" ".join((subcommand.help or "").split()))
        yield from _options(click.Context(subcommand, info_name=name))


def _options(context: click.Context) -> Iterator[str]:
    for title, rows in options(context).items():
        yield f".SS {_escape(title)}"
        for names, text in rows:
            yield from (".TP", rf"\fB{_escape(names)}\fR", _escape(text))


def _rest(context: click.Context) -> Iterator[str]:
    yield ".SH OPTIONS"
    yield from _options(context)
    yield ".SH EXIT STATUS"
    for code, meaning in EXITS.items():
        yield from (".TP", rf"\fB{code.value}\fR", _escape(meaning))
    yield ".SH FILES"
    yield from (
        ".TP",
        "inventory.yaml, mirrors.yaml",
        "the nodes, and the mirrors of each registry",
    )
    yield from (
        ".TP",
        _escape(".fleet/journal.db"),
        "the journal of all rollouts, beside the inventory",
    )
    yield from (
        ".TP",
        "/var/lib/fleet",
        "on a node: the files before each change, and the audit log",
    )
    yield ".SH SEE ALSO"
    yield r"\fBfleet\fR(1), \fBcontainerd\fR(8), \fBssh_config\fR(5)"


def _escape(text: str) -> str:
    """Escape a text for troff: no line becomes a request, and hyphens can be copied."""
    safe = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    return rf"\&{safe}" if safe.startswith((".", "\\(aq")) else safe

"""Help of commands: a summary, examples first, and the options in sections."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from fleet.cli.examples import EXAMPLES
from fleet.cli.next_steps import pasteable
from fleet.errors import ConfigErrors, FleetError

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "Start": ("init", "check", "schema", "inventory"),
    "Look": ("probe", "diff", "drift", "explain", "verify", "mirrors", "run", "render"),
    "Change": ("rollout", "resume", "rollback", "undo", "remove"),
    "Records": ("history", "report", "locks", "unlock"),
    "Set-up": ("hostkeys", "man", "completion"),
}
"""The sections of `fleet --help`, in the order in which one needs them."""


_OPTIONS: Mapping[str, frozenset[str]] = {
    "Batches and failures": frozenset(
        {"batch", "pause", "max_failures", "skip_unreachable", "on_failure"}
    ),
    "Health and pulls": frozenset(
        {
            "soak", "health_timeout", "guard", "disrupt_workloads", "no_liveness", "no_verify",
            "pull_timeout", "per_mirror",
        }
    ),
    "Pods": frozenset({"pod", "pod_namespace", "pod_service_account", "pod_pull_secret"}),
    "Kubernetes": frozenset(
        {
            "not_ready", "cordon", "drain", "drain_timeout", "pod_grace", "drain_force",
            "delete_emptydir_data",
        }
    ),
    "Files that fleet did not write": frozenset(
        {"adopt", "keep", "overwrite", "full_default"}
    ),
    "Files and nodes": frozenset(
        {"inventory", "mirrors", "limit", "exclude", "journal", "kube_context"}
    ),
    "Connections": frozenset(
        {"ask_become_pass", "parallel", "engine", "connect_timeout", "ssh_config"}
    ),
    "Output": frozenset({"as_json", "quiet", "verbose", "no_color", "log"}),
}  # fmt: skip
_OWN = "Options"


ALIASES = {"lock": "locks"}
"""Older names of commands, which still work."""


_BOUNDS = re.compile(r"(-?[\d.]+)<=x<=([\d.]+)")
_LEAST = re.compile(r"  \[x>=0\]|; x>=0(?=\])")
_COLUMN = 26
"""The widest option whose text begins on the same line."""


_HYPHEN = "\u2011"
"""A hyphen at which click does not break a line: `--with-later` stays whole."""


class HelpCommand(click.Command):
    """A command whose help shows examples before options.

    The commands that its errors name have the options of its command line, so that they can be
    pasted.
    """

    def get_help(self, ctx: click.Context) -> str:
        """Return the help, with plain hyphens."""
        return super().get_help(ctx).replace(_HYPHEN, "-")

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except FleetError as error:
            if not isinstance(error, ConfigErrors):
                error.args = (pasteable(str(error)), *error.args[1:])
            raise

    def get_short_help_str(self, limit: int = 45) -> str:
        """Return the summary, never cut: completion shows it beside the command's name."""
        del limit
        return summary(self)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help into the formatter."""
        self.format_usage(ctx, formatter)
        _write_text(self, formatter)
        _write_examples(ctx, formatter)
        _write_options(ctx, formatter)


class HelpGroup(click.Group):
    """A group whose help shows its commands in sections, and options last."""

    command_class = HelpCommand

    def get_help(self, ctx: click.Context) -> str:
        """Return the help, with plain hyphens."""
        return super().get_help(ctx).replace(_HYPHEN, "-")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name, also by an older name."""
        return super().resolve_command(ctx, [ALIASES.get(args[0], args[0]), *args[1:]])

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help into the formatter."""
        self.format_usage(ctx, formatter)
        _write_text(self, formatter)
        _write_examples(ctx, formatter)
        width = max(map(len, self.commands))
        for title, names in sections(self).items():
            with formatter.section(title):
                rows = [(name.ljust(width), summary(self.commands[name])) for name in names]
                formatter.write_dl(rows)
        _write_options(ctx, formatter)
        self.format_epilog(ctx, formatter)


def command(
    name: str | None = None,
) -> Callable[[Callable[..., Any]], HelpCommand]:
    """Return a decorator that makes a function a command with this help."""
    return click.command(name, cls=HelpCommand)


def summary(command: click.Command) -> str:
    """Return what a command does in a few words: the first line of its help."""
    return (command.help or "").split("\n")[0].rstrip(".")


def sections(group: click.Group) -> dict[str, list[str]]:
    """Return the names of a group's commands by section."""
    listed = {
        title: [name for name in names if name in group.commands]
        for title, names in COMMANDS.items()
    }
    known = {name for names in listed.values() for name in names}
    others = [
        name for name, entry in group.commands.items() if name not in known and not entry.hidden
    ]
    return {title: names for title, names in {**listed, "Commands": others}.items() if names}


def examples(path: str) -> tuple[tuple[str, str], ...]:
    """Return the examples of a command, such as `fleet mirrors test`, with their purposes."""
    words = path.split()[1:]
    rows = EXAMPLES.get(words[0], ()) if words else ()
    start = " ".join(words)
    return tuple(row for row in rows if row[0] == start or row[0].startswith(f"{start} "))


def options(ctx: click.Context) -> dict[str, list[tuple[str, str]]]:
    """Return the options of a command by section, each with its text."""
    rows: dict[str, list[tuple[str, str]]] = {title: [] for title in (_OWN, *_OPTIONS)}
    for parameter in ctx.command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None and record[1]:  # some releases of click list bare arguments
            rows[_section(str(parameter.name))].append((record[0], _plain(record[1])))
    return {title: found for title, found in rows.items() if found}


def _section(name: str) -> str:
    return next((title for title, names in _OPTIONS.items() if name in names), _OWN)


def _plain(text: str) -> str:
    """Return the text of an option with click's ranges in words."""
    return _BOUNDS.sub(r"\1 to \2", _LEAST.sub("", text))


def _write_text(command: click.Command, formatter: click.HelpFormatter) -> None:
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(inspect.cleandoc(command.help or "").replace("-", _HYPHEN))


def _write_examples(ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Write command lines with their purposes: beside them, or below if one does not fit."""
    rows = [(f"fleet {line}", meaning) for line, meaning in examples(ctx.command_path)]
    if not rows:
        return
    with formatter.section("Examples"):
        indent = " " * formatter.current_indent
        width = max(len(line) for line, _ in rows)
        beside = [f"{indent}{line:<{width}}  {meaning}\n" for line, meaning in rows]
        fit = all(len(row) <= formatter.width for row in beside)
        below = [f"{indent}{line}\n{indent}    {meaning}\n" for line, meaning in rows]
        formatter.write("".join(beside if fit else below))


def _write_options(ctx: click.Context, formatter: click.HelpFormatter) -> None:
    for title, rows in options(ctx).items():
        with formatter.section(title):
            _write_rows(rows, formatter, _COLUMN)


def _write_rows(
    rows: Iterable[tuple[str, str]], formatter: click.HelpFormatter, column: int
) -> None:
    """Write rows of two columns, the second at the same place in every section."""
    whole = [(first.ljust(column), text.replace("-", _HYPHEN)) for first, text in rows]
    formatter.write_dl(whole, col_max=column)

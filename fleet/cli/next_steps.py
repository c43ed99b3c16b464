"""Next steps: the commands that go on from where a command has ended, ready to be pasted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from rich.console import Console

    from fleet.cli.options import Settings

_FILES = (
    "inventory", "mirrors", "ssh_config", "journal", "ask_become_pass", "engine", "kube_context",
)  # fmt: skip
"""The options of a command line that a command for the same nodes and files needs too."""


_CLUSTER = (
    "cordon", "drain", "drain_timeout", "pod_grace", "drain_force", "delete_emptydir_data",
    "not_ready",
)  # fmt: skip
"""The options that another change of the same nodes needs too; a resume reads them itself."""


_ONCE = frozenset(
    {
        "yes", "dry_run", "exit_code", "as_json", "quiet", "verbose", "no_color", "log", "again",
        "stat",
    }
)  # fmt: skip
"""The options that the same command need not have when it is run again."""


_COMMAND = re.compile(r"`fleet (\w+)([^`]*)`")


@dataclass(frozen=True, slots=True)
class NextStep:
    """A command that goes on, and its purpose."""

    purpose: str
    command: str


def command_line(name: str, *words: str) -> str:
    """Return a command line of fleet, with the files and connection options of this one.

    A command that changes nodes cordons and drains them as this one does.
    """
    kept = _FILES if name == "resume" else (*_FILES, *_CLUSTER)
    return shlex.join(["fleet", *name.split(), *words, *_options(name, kept)])


def pasteable(text: str) -> str:
    """Return a text whose commands, such as `fleet resume ID`, have the options of this one."""
    return _COMMAND.sub(_with_options, text)


def _with_options(match: re.Match[str]) -> str:
    options = shlex.join(_options(match[1], _FILES))
    return f"`fleet {match[1]}{match[2]} {options}`" if options else match[0]


def same_command(*words: str, **instead: str) -> str:
    """Return this command line, to run it again; `instead` replaces options by their names."""
    context = click.get_current_context()
    name = context.info_name or ""
    kept = [option for option in _given(context) if option not in _ONCE | instead.keys()]
    changed = [word for option, value in instead.items() for word in (_flag(name, option), value)]
    return shlex.join(
        ["fleet", name, *_arguments(context), *_options(name, kept), *changed, *words]
    )


def other_command(name: str, **instead: str) -> str:
    """Return a command line for the same nodes, with all options of this one that it takes."""
    kept = [option for option in _given(click.get_current_context())
            if option not in _ONCE | instead.keys()]  # fmt: skip
    changed = [word for option, value in instead.items() for word in (_flag(name, option), value)]
    return shlex.join(["fleet", *name.split(), *_options(name, kept), *changed])


def say_next(settings: Settings, line: str, *, first: str = "") -> None:
    """Print the command line that comes next, on stderr; `first` is what to do before it."""
    if not settings.as_json:
        settings.say(f"Next: {first}{line}")


def same_exclude(names: str) -> str:
    """Return the value of --exclude that also leaves out these nodes."""
    before = _given(click.get_current_context()).get("exclude")
    return f"{before}:{names}" if before else names


def running_command() -> str:
    """Return the name of the command that runs; empty outside of one."""
    context = click.get_current_context(silent=True)
    return (context.info_name or "") if context else ""


def next_lines(steps: Sequence[NextStep]) -> Iterator[str]:
    """Yield the lines that show next steps; a command has a line of its own."""
    if steps:
        yield "Next:"
    for step in steps:
        yield f"  {step.purpose}:"
        yield f"    {step.command}"


def print_next(steps: Sequence[NextStep], out: Console) -> None:
    """Print next steps; a command is never broken, as a pasted line break would end it."""
    from rich.text import Text  # noqa: PLC0415 - a late import keeps `--help` fast

    for line in next_lines(steps):
        out.print(Text(line, "bold") if line.startswith("    ") else line)


def _given(context: click.Context) -> dict[str, Any]:
    """Return the options that were given on the command line, before or after the command."""
    return {
        name: value
        for place in (context.find_root(), context)
        for name, value in place.params.items()
        if place.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }


def _parameters(name: str) -> list[click.Option]:
    """Return the options of a command; `name` may be that of a subcommand, `mirrors test`."""
    command: click.Command | None = click.get_current_context().find_root().command
    for word in name.split():
        command = command.commands.get(word) if isinstance(command, click.Group) else None
    parameters = command.params if command else []
    return [parameter for parameter in parameters if isinstance(parameter, click.Option)]


def _options(name: str, wanted: Iterable[str]) -> Iterator[str]:
    """Yield those options of this command line that another command takes as well."""
    context = click.get_current_context(silent=True)
    if context is None:
        return
    given, names = _given(context), set(wanted)
    for parameter in _parameters(name):
        if parameter.name in names and parameter.name in given:
            value = given[parameter.name]
            if parameter.is_flag:
                yield from _flag_words(parameter, value)
            else:
                yield from (min(parameter.opts, key=len), *_words(value))


def _flag_words(parameter: click.Option, value: Any) -> Sequence[str]:
    """Return a flag as one types it; a negative one (--no-x) only where it exists."""
    return parameter.secondary_opts[:1] if value is False else [min(parameter.opts, key=len)]


def _words(value: Any) -> Iterator[str]:
    for word in value if isinstance(value, tuple) else (value,):
        yield f"{word:g}" if isinstance(word, float) else str(word)


def _flag(name: str, option: str) -> str:
    """Return an option as one types it."""
    for parameter in _parameters(name):
        if parameter.name == option:
            return min(parameter.opts, key=len)
    return f"--{option.replace('_', '-')}"


def _arguments(context: click.Context) -> Iterator[str]:
    for parameter in context.command.params:
        if isinstance(parameter, click.Argument):
            value = context.params.get(str(parameter.name))
            if value is not None:
                yield from _words(value)

"""The flags that commands share, the files they name, and the exit codes."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fleet.cli import completers
from fleet.cli.log_file import hide, note, open_log
from fleet.cli.output.fitting import echo
from fleet.errors import FleetError
from fleet.home import expanded

if TYPE_CHECKING:
    from fleet.config.load import Loaded
    from fleet.core.model.inventory import Inventory
    from fleet.core.model.node import Node
    from fleet.ssh import SshSettings

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Exit(IntEnum):
    """The exit codes; if several apply, the first of 5, 3, 1, 4 is used."""

    OK = 0
    FAILED = 1
    USAGE = 2
    HALTED = 3
    DIFFERENT = 4
    DEGRADED = 5
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The shared flags of one command line."""

    inventory: Path
    mirrors: Path
    limit: str | None
    exclude: str | None
    ssh_config: str | None
    as_json: bool
    quiet: bool
    verbose: int
    color: bool
    wide: bool = False
    mirrors_given: bool = False
    """Whether -m was given, so that no other file is meant."""
    kube_context: str | None = None
    """The context of the cluster of all nodes, instead of the inventory's."""

    def hidden(self, *columns: str) -> tuple[str, ...]:
        """Return the columns of a table that only -o wide shows."""
        return () if self.wide else columns

    def load(self) -> Loaded:
        """Read both files; print warnings; raise ConfigErrors with the mistakes of both."""
        from fleet.config.load import load_files  # noqa: PLC0415 - YAML costs `--help` nothing
        from fleet.core.masking.known import known_secrets  # noqa: PLC0415

        self._announce()
        loaded = load_files(self.inventory, self.mirrors)
        for secret in known_secrets(loaded.mirrors):
            hide(secret)
        if not self.quiet:
            for problem in loaded.warnings:
                echo(problem.shown(), err=True)
        return loaded

    def load_inventory(self) -> Inventory:
        """Read the nodes; print what a cluster's nodes were left out for."""
        from fleet.config.inventory.cluster import is_cluster  # noqa: PLC0415
        from fleet.config.load import read_inventory  # noqa: PLC0415

        self._announce()
        inventory, warnings = read_inventory(self.inventory)
        for problem in warnings if is_cluster(self.inventory) and not self.quiet else ():
            echo(problem.shown(), err=True)
        return inventory

    def _announce(self) -> None:
        """Report that a cluster is asked: a login may take long."""
        from fleet.config.inventory.cluster import is_cluster  # noqa: PLC0415

        if is_cluster(self.inventory):
            self.say(f"asking the cluster for its nodes ({self.inventory})")

    def select(self, inventory: Inventory) -> tuple[Node, ...]:
        """Return the nodes that --limit and --exclude select."""
        from fleet.core.selection.patterns import select  # noqa: PLC0415

        return select(inventory, self.limit, self.exclude, read_patterns)

    def connecting(self, seconds: float) -> SshSettings:
        """Return the settings of connections; raise a FleetError if its ssh_config is missing."""
        from fleet.ssh import SshSettings  # noqa: PLC0415 - Paramiko costs `--help` nothing

        if self.ssh_config is not None:
            try:
                expanded(self.ssh_config).open("rb").close()
            except OSError as error:
                reason = f"the ssh_config cannot be read ({error.strerror})"
                message = f"{self.ssh_config}: {reason}; name another with -F FILE"
                raise FleetError(message) from error
        return SshSettings(self.ssh_config, seconds)

    def say(self, text: str) -> None:
        """Print a line of progress on stderr, unless --quiet, and write it to the log."""
        from fleet.core.masking import without_logins  # noqa: PLC0415

        text = without_logins(text)
        note(text)
        if not self.quiet:
            echo(text, err=True)


def read_patterns(path: str) -> str:
    """Read the file that a pattern `@file` names; raise a FleetError if it cannot be read."""
    try:
        return expanded(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise FleetError(f"@{path}: cannot be read ({error.strerror})") from error


_SHARED = {
    "inventory": click.option(
        "-i", "--inventory", type=click.Path(), metavar="FILE", shell_complete=completers.inventory,
        help="Read the nodes from FILE, or a cluster: kube:CONTEXT [default: inventory.yaml].",
    ),
    "mirrors": click.option(
        "-m", "--mirrors", type=click.Path(), metavar="FILE",
        help="Read the mirrors from FILE [default: mirrors.yaml].",
    ),
    "limit": click.option(
        "-l", "--limit", metavar="PATTERN", shell_complete=completers.patterns,
        help="Only these nodes: a group, a node, a glob, w[1-9], a:!b, @file.",
    ),
    "exclude": click.option(
        "-x", "--exclude", metavar="PATTERN", shell_complete=completers.patterns,
        help="Leave these nodes out.",
    ),
    "ssh_config": click.option(
        "-F", "--ssh-config", type=click.Path(), envvar="FLEET_SSH_CONFIG", metavar="FILE",
        help="Use this ssh_config instead of ~/.ssh/config (env FLEET_SSH_CONFIG).",
    ),
    "as_json": click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
    "quiet": click.option("-q", "--quiet", is_flag=True, help="Hide progress and warnings."),
    "verbose": click.option(
        "-v", "--verbose", count=True,
        help="Show what the SSH connections do; -vv: in full, with tracebacks.",
    ),
    "no_color": click.option("--no-color", is_flag=True, help="No colors (env NO_COLOR)."),
    "log": click.option(
        "--log", type=click.Path(), metavar="FILE",
        help="Append everything to FILE, SSH included.",
    ),
}  # fmt: skip
_OF_OUTPUT = ("as_json", "quiet", "verbose", "no_color", "log")
_OFFLINE = {
    "verbose": click.option(
        "-v", "--verbose", count=True, help="-vv: show where in the code an error came from."
    ),
    "log": click.option(
        "--log", type=click.Path(), metavar="FILE", help="Append all messages to FILE."
    ),
}
"""The flags of commands without connections whose texts differ from those in `_SHARED`."""


def add_options(command: Decorated, options: Iterable[Callable[..., Any]]) -> Decorated:
    """Add options to a command, in the order of its help."""
    for option in reversed(tuple(options)):
        command = option(command)
    return command


def shared_group(function: Callable[..., None]) -> Callable[..., None]:
    """Add the shared flags to the group, so that they may come before the command as well."""

    @functools.wraps(function)
    def wrapped(**flags: Any) -> None:
        click.get_current_context().obj = flags
        function()

    return add_options(wrapped, _SHARED.values())


def _override(after: Any, before: Any) -> Any:
    """Return the flag after the command if it was given, else the one before it.

    An empty text counts as given: `--limit ""` must never come to mean all nodes.
    """
    given = after if isinstance(after, str) else after or None
    return before if given is None else given


def with_columns(function: Callable[..., None]) -> Callable[..., None]:
    """Add `-o wide` to a command that prints a table."""

    @functools.wraps(function)
    def wrapped(settings: Settings, *, columns: str | None, **flags: Any) -> None:
        function(replace(settings, wide=columns is not None), **flags)

    option = click.option(
        "-o",
        "--output",
        "columns",
        type=click.Choice(["wide"]),
        metavar="FORMAT",
        help="wide: print more columns.",
    )
    return option(wrapped)


kube_context_option = click.option(
    "--kube-context",
    metavar="NAME",
    shell_complete=completers.contexts,
    help="Use this context of the kubeconfig as the nodes' cluster, not the inventory's.",
)


def with_kube_context(function: Callable[..., None]) -> Callable[..., None]:
    """Add `--kube-context` to a command that asks the nodes' cluster."""

    @functools.wraps(function)
    def wrapped(settings: Settings, *, kube_context: str | None, **flags: Any) -> None:
        function(replace(settings, kube_context=kube_context), **flags)

    return kube_context_option(wrapped)


def takes(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that passes Settings to a command; `names` are the flags that it uses.

    Flags for the output are for every command. A flag after the command overrides one before it.
    """
    names = (*names, "exclude") if "limit" in names else names
    taken = [name for name in _SHARED if name in (*names, *_OF_OUTPUT)]
    flags_of = _SHARED if "ssh_config" in names else {**_SHARED, **_OFFLINE}

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def wrapped(**flags: Any) -> None:
            before = click.get_current_context().obj or {}
            _refuse_unused(before, taken)
            own = {name: flags.pop(name) for name in taken}
            settings = _settings(
                {name: _override(own.get(name), before.get(name)) for name in _SHARED}
            )
            function(settings, **flags)

        return add_options(wrapped, (flags_of[name] for name in taken))

    return decorate


shared = takes("inventory", "mirrors", "limit", "ssh_config")


def _refuse_unused(before: Mapping[str, Any], taken: Collection[str]) -> None:
    """Refuse --limit and --exclude before a command that would work on more than they select.

    The names of files may stay: an alias such as `fleet -i hosts.yaml` is for every command.
    """
    for name in ("limit", "exclude"):
        if name not in taken and before.get(name) is not None:
            context = click.get_current_context()
            raise click.UsageError(f"{context.command_path} does not take --{name}", context)


def _settings(values: Mapping[str, Any]) -> Settings:
    """Return the Settings of one command line, and open its log."""
    settings = Settings(
        inventory=Path(values["inventory"] or "inventory.yaml"),
        mirrors=Path(values["mirrors"] or "mirrors.yaml"),
        limit=values["limit"],
        exclude=values["exclude"],
        ssh_config=values["ssh_config"],
        as_json=bool(values["as_json"]),
        quiet=bool(values["quiet"]),
        verbose=values["verbose"] or 0,
        mirrors_given=values["mirrors"] is not None,
        color=not (values["no_color"] or os.environ.get("NO_COLOR")),
    )
    open_log(settings.verbose, values["log"])
    return settings

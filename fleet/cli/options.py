"""The flags that commands share, the files they name, and the exit codes."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fleet.cli.log_file import hide, note, open_log
from fleet.core.rollout import defaults
from fleet.errors import FleetError
from fleet.home import expanded

if TYPE_CHECKING:
    from fleet.config.load import Loaded
    from fleet.core.model.inventory import Inventory
    from fleet.core.model.node import Node
    from fleet.engine.workers.base import WorkerPool

_Command = TypeVar("_Command", bound=Callable[..., Any])


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

    def load(self) -> Loaded:
        """Read both files; print warnings; raise ConfigErrors with the mistakes of both."""
        from fleet.config.load import load_files  # noqa: PLC0415 - YAML costs `--help` nothing
        from fleet.core.masking.known import known_secrets  # noqa: PLC0415

        loaded = load_files(self.inventory, self.mirrors)
        for secret in known_secrets(loaded.mirrors):
            hide(secret)
        if not self.quiet:
            for problem in loaded.warnings:
                click.echo(problem.shown(), err=True)
        return loaded

    def select(self, inventory: Inventory) -> tuple[Node, ...]:
        """Return the nodes that --limit and --exclude select."""
        from fleet.core.selection.patterns import select  # noqa: PLC0415

        return select(inventory, self.limit, self.exclude, read_patterns)

    def say(self, text: str) -> None:
        """Print a line of progress on stderr, unless --quiet, and write it to the log."""
        from fleet.core.masking import without_logins  # noqa: PLC0415

        text = without_logins(text)
        note(text)
        if not self.quiet:
            click.echo(text, err=True)


def read_patterns(path: str) -> str:
    """Read the file that a pattern `@file` names; raise a FleetError if it cannot be read."""
    try:
        return expanded(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise FleetError(f"@{path}: cannot be read ({error.strerror})") from error


_SHARED = (
    click.option(
        "-i", "--inventory", type=click.Path(), help="The nodes [default: inventory.yaml]."
    ),
    click.option("-m", "--mirrors", type=click.Path(), help="The mirrors [default: mirrors.yaml]."),
    click.option("-l", "--limit", metavar="PATTERN", help="Only these: group, node, glob, a:!b."),
    click.option("-x", "--exclude", metavar="PATTERN", help="All but these."),
    click.option(
        "-F",
        "--ssh-config",
        type=click.Path(),
        envvar="FLEET_SSH_CONFIG",
        help="Another ssh_config than ~/.ssh/config.",
    ),
    click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout."),
    click.option("-q", "--quiet", is_flag=True, help="No progress."),
    click.option(
        "-v", "--verbose", count=True, help="What SSH does; -vv: all of it, and tracebacks."
    ),
    click.option("--no-color", is_flag=True, help="No color (also: NO_COLOR)."),
    click.option(
        "--log", type=click.Path(), metavar="FILE", help="Append everything to FILE, SSH included."
    ),
)


_NAMES = (
    "inventory",
    "mirrors",
    "limit",
    "exclude",
    "ssh_config",
    "as_json",
    "quiet",
    "verbose",
    "no_color",
    "log",
)


def _add_options(command: _Command, options: Sequence[Callable[..., Any]]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


def shared_group(function: Callable[..., None]) -> Callable[..., None]:
    """Add the shared flags to the group, so that they may come before the command as well."""

    @functools.wraps(function)
    def wrapped(**flags: Any) -> None:
        click.get_current_context().obj = flags
        function()

    return _add_options(wrapped, _SHARED)


def _override(after: Any, before: Any) -> Any:
    """Return the flag after the command if it was given, else the one before it.

    An empty text counts as given: `--limit ""` must never come to mean all nodes.
    """
    given = after if isinstance(after, str) else after or None
    return before if given is None else given


def shared(function: Callable[..., None]) -> Callable[..., None]:
    """Pass Settings to a command; a flag after the command overrides one before it."""

    @functools.wraps(function)
    def wrapped(**flags: Any) -> None:
        before = click.get_current_context().obj or {}
        values = {name: _override(flags.pop(name), before.get(name)) for name in _NAMES}
        settings = Settings(
            inventory=Path(values["inventory"] or "inventory.yaml"),
            mirrors=Path(values["mirrors"] or "mirrors.yaml"),
            limit=values["limit"],
            exclude=values["exclude"],
            ssh_config=values["ssh_config"],
            as_json=bool(values["as_json"]),
            quiet=bool(values["quiet"]),
            verbose=values["verbose"] or 0,
            color=not (values["no_color"] or os.environ.get("NO_COLOR")),
        )
        open_log(settings.verbose, values["log"])
        function(settings, **flags)

    return _add_options(wrapped, _SHARED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The flags of commands that connect to nodes, and the worker pool that --engine chose."""

    pool: WorkerPool
    ask_become_pass: bool
    seconds: float


_CONNECTING = (
    click.option("-K", "--ask-become-pass", is_flag=True, help="Ask for the sudo password."),
    click.option("--parallel", type=click.IntRange(1, 1000), default=32, show_default=True,
                 help="Nodes read at once."),
    click.option("--engine", default="threads", show_default=True, metavar="ENGINE",
                 help="Who works: threads, processes, dask, or a Dask scheduler's tcp://HOST:PORT."),
    click.option("--connect-timeout", type=click.FloatRange(1, 600), default=10, show_default=True,
                 help="Seconds to wait for a connection."),
)  # fmt: skip


def connecting(function: Callable[..., None]) -> Callable[..., None]:
    """Add the flags of commands that connect to nodes, and pass them as a Connection."""

    @functools.wraps(function)
    def wrapped(
        *, parallel: int, engine: str, ask_become_pass: bool, connect_timeout: float, **flags: Any
    ) -> None:
        from fleet.engine.workers.open_pool import open_pool  # noqa: PLC0415

        with open_pool(engine, parallel) as pool:
            connection = Connection(
                pool=pool, ask_become_pass=ask_become_pass, seconds=connect_timeout
            )
            function(connection=connection, **flags)

    return _add_options(wrapped, _CONNECTING)


no_liveness = click.option(
    "--no-liveness", is_flag=True, help="Do not ask whether the daemon reads its folder."
)
per_mirror = click.option(
    "--per-mirror", default=defaults.PER_MIRROR, type=click.IntRange(1, 1000),
    show_default=True,
    help="Nodes that pull from one mirror at once.",
)  # fmt: skip
pull_timeout = click.option(
    "--pull-timeout", default=defaults.PULL, type=click.IntRange(1, 3600),
    show_default=True,
    help="Seconds for one verification pull.",
)  # fmt: skip
full_default = click.option(
    "--full-default", is_flag=True, help="Start a missing config.toml from all defaults."
)
journal = click.option(
    "--journal", type=click.Path(), help="[default: .fleet/journal.db beside the inventory]"
)

_FOREIGN = (
    click.option("--adopt", "foreign", flag_value="adopt", default="adopt",
                 help="Take over a registry's foreign hosts.toml, keep its bytes [default]."),
    click.option("--keep", "foreign", flag_value="keep",
                 help="Leave foreign and edited files as they are."),
    click.option("--overwrite", "foreign", flag_value="overwrite",
                 help="Adopt, and remove registries that mirrors.yaml does not name."),
)  # fmt: skip


def foreign_files(function: _Command) -> _Command:
    """Add the flags for files that fleet did not write."""
    return _add_options(function, _FOREIGN)


_CHANGING = (
    click.option("-y", "--yes", is_flag=True, help="Do not ask."),
    click.option("--dry-run", is_flag=True, help="Show the diffs and change nothing."),
    click.option("--batch", default=defaults.BATCHES, show_default=True, help="The last repeats."),
    click.option("--max-failures", default=defaults.MAX_FAILURES, show_default=True,
                 help="Budget: N or P%."),
    click.option("--skip-unreachable", is_flag=True, help="Go on without unreachable nodes."),
    click.option("--on-failure", default="halt", show_default=True,
                 type=click.Choice(["halt", "rollback-batch", "rollback-all"]),
                 help="What becomes of converged nodes when the budget is spent."),
    click.option("--pause", default=0.0, type=click.FloatRange(0), metavar="SECONDS",
                 help="After a batch; then its nodes are asked for health again."),
    click.option("--soak", default=defaults.SOAK, type=click.IntRange(0, 600), show_default=True,
                 help="Seconds that a restarted containerd must stay up."),
    click.option("--health-timeout", default=defaults.HEALTH, type=click.IntRange(1, 600),
                 show_default=True,
                 help="Seconds until containerd must be healthy."),
    click.option("--guard", default=defaults.GUARD, type=click.IntRange(0, 86400),
                 show_default=True,
                 help="Seconds until a node undoes an unconfirmed change; 0: never."),
    click.option("--disrupt-workloads", is_flag=True,
                 help="Restart containerd even where that ends containers."),
    journal,
)  # fmt: skip


def changing_nodes(function: _Command) -> _Command:
    """Add the flags of commands that change nodes."""
    return _add_options(function, _CHANGING)

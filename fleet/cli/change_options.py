"""The flags of commands that change nodes or verify them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from fleet.cli import completers
from fleet.cli.drain_options import draining
from fleet.cli.options import add_options
from fleet.core.rollout import defaults

no_liveness = click.option(
    "--no-liveness", is_flag=True, help="Skip the check that containerd reads certs.d."
)
per_mirror = click.option(
    "--per-mirror", default=defaults.PER_MIRROR, type=click.IntRange(1, 1000),
    show_default=True, metavar="N",
    help="At most N nodes pull from one mirror at once.",
)  # fmt: skip
pull_timeout = click.option(
    "--pull-timeout", default=defaults.PULL, type=click.IntRange(1, 3600),
    show_default=True, metavar="SECONDS",
    help="Time limit of one verification pull.",
)  # fmt: skip
full_default = click.option(
    "--full-default", is_flag=True,
    help="Create a missing config.toml from `containerd config default` (otherwise: a minimal"
    " file).",
)  # fmt: skip
stat = click.option(
    "--stat", is_flag=True, help="Show what changes for each registry, without the file diffs."
)
journal = click.option(
    "--journal", type=click.Path(), metavar="FILE",
    help="Use this journal [default: .fleet/journal.db beside the inventory].",
)  # fmt: skip
message = click.option(
    "-M", "--message", default="", metavar="TEXT",
    help="Record why, for example a ticket: in the journal, the report and the nodes' audit logs.",
)  # fmt: skip
yes = click.option("-y", "--yes", is_flag=True, help="Do not ask; needed without a terminal.")

registry = click.option(
    "--registry",
    metavar="NAME",
    shell_complete=completers.registries,
    help="Undo this registry alone; the others stay as they are.",
)
_FOREIGN = (
    click.option("--adopt", is_flag=True,
                 help="Replace an existing hosts.toml of a registry in mirrors.yaml; the original"
                 " is backed up [default]."),
    click.option("--keep", is_flag=True,
                 help="Leave files that fleet did not write, or that were edited, as they are."),
    click.option("--overwrite", is_flag=True,
                 help="As --adopt, and remove every hosts.toml that mirrors.yaml does not ask"
                 " for."),
)  # fmt: skip


def foreign_files(function: Callable[..., None]) -> Callable[..., None]:
    """Add the flags for files that fleet did not write, and pass the chosen one as `foreign`."""

    @functools.wraps(function)
    def wrapped(*, adopt: bool, keep: bool, overwrite: bool, **flags: Any) -> None:
        chosen = {"adopt": adopt, "keep": keep, "overwrite": overwrite}
        names = [name for name, given in chosen.items() if given] or ["adopt"]
        if len(names) > 1:
            options = " and ".join(f"--{name}" for name in names)
            raise click.UsageError(f"{options} exclude each other: choose one")
        function(foreign=names[0], **flags)

    return add_options(wrapped, _FOREIGN)


_CHANGING = (
    yes,
    click.option("--dry-run", is_flag=True, help="Show the plan and change nothing."),
    click.option("--batch", default=defaults.BATCHES, show_default=True, metavar="SIZES",
                 help="Batch sizes, e.g. 1,10%,25%: the last one repeats."),
    click.option("--max-failures", default=defaults.MAX_FAILURES, show_default=True,
                 metavar="N|P%", help="Stop when more nodes than this have failed."),
    click.option("--skip-unreachable", is_flag=True,
                 help="Unreachable nodes do not count against --max-failures; the rollout still"
                 " exits 1."),
    click.option("--on-failure", default="halt", show_default=True, metavar="ACTION",
                 type=click.Choice(["halt", "rollback-batch", "rollback-all"]),
                 help="When too many nodes fail: halt, revert this batch (rollback-batch), or"
                 " revert all batches (rollback-all)."),
    click.option("--pause", default=0, type=click.FloatRange(0), show_default=True,
                 metavar="SECONDS",
                 help="Wait this long between batches, then re-check the batch's health."),
    click.option("--soak", default=defaults.SOAK, type=click.IntRange(0, 600), show_default=True,
                 metavar="SECONDS",
                 help="A restarted containerd must stay up this long before its change is"
                 " confirmed."),
    click.option("--health-timeout", default=defaults.HEALTH, type=click.IntRange(1, 600),
                 show_default=True, metavar="SECONDS",
                 help="Wait this long for containerd to be healthy."),
    click.option("--guard", default=defaults.GUARD, type=click.IntRange(0, 86400),
                 show_default=True, metavar="SECONDS",
                 help="A node reverts a change that is not confirmed within this time; 0 turns the"
                 " guard off."),
    click.option("--disrupt-workloads", is_flag=True,
                 help="Restart containerd even if that ends running containers."),
    click.option("--not-ready", default="in-order", show_default=True, metavar="CHOICE",
                 type=click.Choice(["in-order", "first", "skip"]),
                 help="Change nodes that are not Ready in the cluster in their place (in-order),"
                 " before all others (first), or not at all (skip)."),
    message,
    journal,
)  # fmt: skip


def changing_nodes(function: Callable[..., None]) -> Callable[..., None]:
    """Add the flags of commands that change nodes.

    A --soak on the command line also limits the time that the condition Ready is given to lag.
    """

    @functools.wraps(function)
    def wrapped(*args: Any, **flags: Any) -> None:
        source = click.get_current_context().get_parameter_source("soak")
        if source is not click.core.ParameterSource.DEFAULT:
            flags["ready_lag"] = min(flags["soak"], defaults.READY_LAG)
        function(*args, **flags)

    return draining(add_options(wrapped, _CHANGING))

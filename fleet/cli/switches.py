"""Flags that several commands share, beyond those of all commands."""

from __future__ import annotations

from typing import Any

import click

no_liveness = click.option(
    "--no-liveness", is_flag=True, help="Do not ask whether the daemon reads its folder."
)
per_mirror = click.option(
    "--per-mirror", default=16, type=click.IntRange(1, 1000), show_default=True,
    help="Nodes that pull from one mirror at once.",
)  # fmt: skip
journal = click.option(
    "--journal", type=click.Path(), help="[default: .fleet/journal.db beside the inventory]"
)


def foreign_files(function: Any) -> Any:
    """Add the flags for files that fleet did not write."""
    options = (
        click.option("--adopt", "foreign", flag_value="adopt", default="adopt",
                     help="Take over a registry's foreign hosts.toml, keep its bytes [default]."),
        click.option("--keep", "foreign", flag_value="keep",
                     help="Leave foreign and edited files as they are."),
        click.option("--overwrite", "foreign", flag_value="overwrite",
                     help="Adopt, and remove registries that mirrors.yaml does not name."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def changing_nodes(function: Any) -> Any:
    """Add the flags of commands that change nodes."""
    options = (
        click.option("-y", "--yes", is_flag=True, help="Do not ask."),
        click.option("--dry-run", is_flag=True, help="Show the diffs and change nothing."),
        click.option("--batch", default="1,25%", show_default=True, help="The last repeats."),
        click.option("--max-failures", default="0", show_default=True, help="Budget: N or P%."),
        click.option("--skip-unreachable", is_flag=True, help="Go on without unreachable nodes."),
        click.option("--on-failure", default="halt", show_default=True,
                     type=click.Choice(["halt", "rollback-batch", "rollback-all"]),
                     help="What becomes of converged nodes when the budget is spent."),
        click.option("--pause", default=0.0, type=click.FloatRange(0), metavar="SECONDS",
                     help="After a batch; then its nodes are asked for health again."),
        click.option("--soak", default=6, type=click.IntRange(0, 600), show_default=True,
                     help="Seconds that a restarted containerd must stay up."),
        click.option("--health-timeout", default=30, type=click.IntRange(1, 600), show_default=True,
                     help="Seconds until containerd must be healthy."),
        click.option("--guard", default=180, type=click.IntRange(0, 86400), show_default=True,
                     help="Seconds until a node undoes an unconfirmed change; 0: never."),
        click.option("--disrupt-workloads", is_flag=True,
                     help="Restart containerd even where that ends containers."),
        journal,
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function

"""The command `fleet inventory`."""

from __future__ import annotations

import click

from fleet.cli import completers
from fleet.cli.help import command
from fleet.cli.options import Settings, read_patterns, takes
from fleet.errors import FleetError


@command()
@click.argument("nodes", metavar="[NODE]...", nargs=-1, shell_complete=completers.nodes)
@click.option("--graph", is_flag=True, help="Show groups and their nodes as a tree.")
@takes("inventory", "limit")
def inventory(settings: Settings, *, nodes: tuple[str, ...], graph: bool) -> None:
    """Show every node's settings and where they come from.

    With NODE, also the values that were overridden.
    """
    from fleet.cli.output.inventory import show_inventory
    from fleet.core.selection.patterns import select

    loaded = settings.load_inventory()
    chosen = settings.select(loaded)
    if nodes:
        named = {node.name for node in select(loaded, ",".join(nodes), None, read_patterns)}
        chosen = tuple(node for node in chosen if node.name in named)
        if not chosen:
            raise FleetError(f"{', '.join(nodes)}: left out by --limit or --exclude")
    show_inventory(loaded, chosen, settings, full=bool(nodes), graph=graph)

"""The command `fleet explain`."""

from __future__ import annotations

import click

from fleet.cli import completers
from fleet.cli.connection_options import Connection, connecting_without
from fleet.cli.help import command
from fleet.cli.options import Exit, Settings, takes


@command()
@click.argument("node", metavar="NODE", shell_complete=completers.nodes)
@click.argument("registry", metavar="REGISTRY", shell_complete=completers.registries)
@connecting_without("parallel", "engine")
@takes("inventory", "ssh_config")
def explain(settings: Settings, *, connection: Connection, node: str, registry: str) -> None:
    """Show where a node pulls a registry's images from.

    REGISTRY may also be an image, such as docker.io/library/busybox:1.36. The output names the
    file and line that decide, the hosts in the order in which containerd asks them, and what
    happens when one fails.
    """
    from fleet.actions import explain as action
    from fleet.cli.output.explain import show_explanation
    from fleet.cli.terminal import open_session
    from fleet.core.failure import Failure

    inventory = settings.load_inventory()
    session = open_session(settings, connection)
    chosen, explanation = action.explain(inventory, node, registry, session)
    show_explanation(chosen.name, explanation, settings)
    raise SystemExit(Exit.FAILED if isinstance(explanation, Failure) else Exit.OK)

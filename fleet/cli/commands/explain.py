"""The command `fleet explain`."""

from __future__ import annotations

import click

from fleet.cli.options import Connection, Exit, Settings, connecting, shared


@click.command()
@click.argument("node", metavar="NODE")
@click.argument("registry", metavar="REGISTRY")
@connecting
@shared
def explain(settings: Settings, *, connection: Connection, node: str, registry: str) -> None:
    """Show which file decides where a node pulls a registry's images from, and in which order."""
    from fleet.actions import explain as action
    from fleet.cli.output.explain import show_explanation
    from fleet.cli.terminal import open_session
    from fleet.config.load import load_inventory
    from fleet.core.failure import Failure

    session = open_session(settings, connection)
    inventory = load_inventory(settings.inventory)
    chosen, explanation = action.explain(inventory, node, registry, session)
    show_explanation(chosen.name, explanation, settings)
    raise SystemExit(Exit.FAILED if isinstance(explanation, Failure) else Exit.OK)

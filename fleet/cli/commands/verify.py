"""The command `fleet verify`."""

from __future__ import annotations

from typing import Any

import click

from fleet.cli.change_options import no_liveness, per_mirror, pull_timeout
from fleet.cli.connection_options import Connection, connecting
from fleet.cli.help import command
from fleet.cli.options import Exit, Settings, shared, with_columns


@command()
@pull_timeout
@click.option("--self-contained", is_flag=True,
              help="Pull a tiny image from this machine; no registry is needed.")  # fmt: skip
@click.option("--sample", metavar="N|P%", help="Test only so many nodes, the same ones every time.")
@per_mirror
@no_liveness
@connecting
@shared
@with_columns
def verify(
    settings: Settings,
    *,
    connection: Connection,
    pull_timeout: int,
    self_contained: bool,
    no_liveness: bool,
    **flags: Any,
) -> None:
    """Pull the test images on every node.

    Shows which mirror served each pull. Changes no config; images that it pulls are removed again.
    """
    from fleet.actions import verify as action
    from fleet.cli.next_steps import command_line
    from fleet.cli.output.verify import show_verified
    from fleet.cli.terminal import open_session
    from fleet.config.load import load_inventory
    from fleet.core.model.outcome import NodeStatus
    from fleet.core.selection.ranges import compress

    if self_contained:
        nodes = settings.select(load_inventory(settings.inventory))
        session = open_session(settings, connection)
        outcomes, chosen = action.self_test_nodes(nodes, session, seconds=pull_timeout), None
    else:
        options = action.VerifyOptions(pull_seconds=pull_timeout, liveness=not no_liveness, **flags)
        files = settings.load()
        nodes = settings.select(files.inventory)
        session = open_session(settings, connection)
        outcomes, chosen = action.verify(files, nodes, options, session)
    show_verified(outcomes, settings, chosen)
    bad = [end.node for end in outcomes if end.status is not NodeStatus.UNCHANGED]
    if bad and not settings.as_json:
        settings.say(f"Next: {command_line('mirrors', 'test', '-l', compress(bad))}")
    raise SystemExit(Exit.FAILED if bad else Exit.OK)

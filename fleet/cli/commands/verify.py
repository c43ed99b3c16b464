"""The command `fleet verify`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from fleet.cli.change_options import no_liveness, per_mirror, pull_timeout
from fleet.cli.connection_options import Connection, connecting
from fleet.cli.help import command
from fleet.cli.options import Exit, Settings, shared, with_columns

if TYPE_CHECKING:
    from fleet.core.model.outcome import NodeOutcome


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
    from fleet.cli.next_steps import other_command, say_next
    from fleet.cli.output.verify import show_verified
    from fleet.cli.terminal import open_session
    from fleet.core.model.outcome import NodeStatus

    if self_contained:
        nodes = settings.select(settings.load_inventory())
        session = open_session(settings, connection)
        outcomes, chosen = action.self_test_nodes(nodes, session, seconds=pull_timeout), None
    else:
        options = action.VerifyOptions(pull_seconds=pull_timeout, liveness=not no_liveness, **flags)
        files = settings.load()
        nodes = settings.select(files.inventory)
        session = open_session(settings, connection)
        outcomes, chosen = action.verify(files, nodes, options, session)
    show_verified(outcomes, settings, chosen)
    bad = [outcome for outcome in outcomes if outcome.status is not NodeStatus.UNCHANGED]
    if bad:
        name, nodes_left = _next_look(bad)
        say_next(settings, other_command(name, limit=nodes_left))
    raise SystemExit(Exit.FAILED if bad else Exit.OK)


def _next_look(bad: Sequence[NodeOutcome]) -> tuple[str, str]:
    """Return the command that looks further, and its nodes; mirrors need a node that answers."""
    from fleet.core.model.outcome import NodeStatus, unworked_status
    from fleet.core.selection.ranges import compress

    reached = [
        outcome
        for outcome in bad
        if outcome.failure is None or unworked_status(outcome.failure.kind) is NodeStatus.FAILED
    ]
    names = compress([outcome.node for outcome in reached or bad])
    return ("mirrors test" if reached else "probe"), names

"""The command `fleet probe`."""

from __future__ import annotations

from fleet.cli.connection_options import Connection, connecting
from fleet.cli.help import command
from fleet.cli.next_steps import other_command, say_next
from fleet.cli.options import Exit, Settings, shared, with_columns


@command()
@connecting
@shared
@with_columns
def probe(settings: Settings, *, connection: Connection) -> None:
    """Read every node and show its state.

    For each node: version, registry config, CRI health, and its state compared with mirrors.yaml.
    Nothing is changed.
    """
    from fleet.actions import survey
    from fleet.cli.output.probe import show_probed
    from fleet.cli.terminal import open_session
    from fleet.core.model.node_state import NodeState

    files = settings.load()
    session = open_session(settings, connection)
    probed = survey.probe(files, settings.select(files.inventory), session)
    show_probed(probed, settings)
    behind = {NodeState.UNMANAGED, NodeState.OUTDATED}
    if any(data and data["state"] in behind for _, data in probed):
        say_next(settings, other_command("diff"))
    unread = any(result.facts is None for result, _ in probed)
    raise SystemExit(Exit.FAILED if unread else Exit.OK)

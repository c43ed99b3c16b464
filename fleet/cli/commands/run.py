"""The command `fleet run`."""

from __future__ import annotations

import click

from fleet.cli.connection_options import Connection, connecting
from fleet.cli.help import command
from fleet.cli.options import Exit, Settings, takes


@command()
@click.argument("command", metavar="-- COMMAND", nargs=-1, type=click.UNPROCESSED)
@click.option("--timeout", default=60, type=click.IntRange(1, 86400), show_default=True,
              metavar="SECONDS", help="Time limit of the command on a node.")  # fmt: skip
@connecting
@takes("inventory", "limit", "ssh_config")
def run(
    settings: Settings, *, connection: Connection, command: tuple[str, ...], timeout: int
) -> None:
    """Run a command on the nodes.

    Equal outputs are shown once. The command runs as root, unless `become: false` is set in the
    inventory.
    """
    from fleet.actions import run as action
    from fleet.cli.output.run import show_results
    from fleet.cli.terminal import open_session
    from fleet.node.run_command import RunResult

    line = action.command_line(command)
    nodes = settings.select(settings.load_inventory())
    session = open_session(settings, connection)
    results = action.run(nodes, line, session, seconds=timeout)
    show_results(line, results, settings)
    good = all(isinstance(result, RunResult) and result.code == 0 for result in results.values())
    raise SystemExit(Exit.OK if good else Exit.FAILED)

"""The command `fleet hostkeys`."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import TYPE_CHECKING

import click

from fleet.cli.connection_options import Connection, connecting_without
from fleet.cli.help import command
from fleet.cli.next_steps import other_command, say_next
from fleet.cli.options import Exit, Settings, takes, with_columns
from fleet.cli.output.fitting import echo
from fleet.core.text.counts import counted

if TYPE_CHECKING:
    from fleet.core.failure import Failure
    from fleet.ssh.hostkey_scan import HostKey


@command()
@click.option("-y", "--yes", is_flag=True, help="Add unknown keys without asking.")
@connecting_without("ask_become_pass")
@takes("inventory", "limit", "ssh_config")
@with_columns
def hostkeys(settings: Settings, *, connection: Connection, yes: bool) -> None:
    """Show the nodes' SSH host keys, and add new ones.

    Asks before it adds a key to known_hosts. A changed key is never added.
    """
    from fleet.actions.hostkeys import add_host_keys, is_bad, scan_host_keys, unknown_keys
    from fleet.cli.output.hostkeys import print_keys_data, show_keys
    from fleet.cli.prompts import unlock_keys

    nodes = settings.select(settings.load_inventory())
    ssh = unlock_keys(settings.connecting(connection.seconds), nodes)
    jumps: dict[str, HostKey | Failure] = {}
    results: dict[str, HostKey | Failure] = {}
    added: set[str] = set()
    for scanned in scan_host_keys(nodes, ssh, connection.pool):
        jumps, results = {**jumps, **results}, scanned
        if not settings.as_json:
            show_keys(scanned, settings)
        new = unknown_keys(scanned)
        if new and _is_agreed(new.values(), yes=yes, ask=not settings.as_json):
            add_host_keys(new.values())
            echo(f"{counted(len(new), 'key')} added to {_files(new.values())}", err=True)
            added |= set(new)
    if settings.as_json:
        print_keys_data(results, jumps, added)
    bad = any(is_bad(result) for result in (*jumps.values(), *results.values()))
    if not bad:
        say_next(settings, other_command("probe"))
    raise SystemExit(Exit.FAILED if bad else Exit.OK)


def _is_agreed(keys: Collection[HostKey], *, yes: bool, ask: bool) -> bool:
    """Ask whether to add keys; return False if there is not a terminal."""
    if yes or not (ask and sys.stdin.isatty()):
        return yes
    from fleet.cli import prompts
    from fleet.cli.next_steps import NextStep, same_command

    step = NextStep("add them without a question", same_command("-y"))
    prompts.ask(
        f"Add {counted(len(keys), 'key')} to {_files(keys)}?", "No host key was added.", [step]
    )
    return True


def _files(keys: Collection[HostKey]) -> str:
    return ", ".join(dict.fromkeys(key.file for key in keys))

"""The command `fleet`: its group, and the one place where a mistake becomes a message."""

from __future__ import annotations

import logging
import sys

import click

from fleet import __version__
from fleet.cli.commands import change, files, look
from fleet.cli.options import Exit, shared_group
from fleet.errors import FleetError, HeldError, JournalError, printable


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fleet")
@shared_group
def fleet() -> None:
    """Roll out containerd registry mirrors to a fleet of nodes over SSH, safely."""


for _module in (files, look, change):
    for _command in vars(_module).values():
        if isinstance(_command, click.Command):
            fleet.add_command(_command)


def main() -> None:
    """Run fleet; a mistake of the user ends in one message and exit code 2."""
    try:
        fleet(prog_name="fleet", standalone_mode=False)
    except FleetError as error:
        click.echo(printable(str(error)), err=True)
        sys.exit(Exit.HALTED if isinstance(error, HeldError | JournalError) else Exit.USAGE)
    except click.exceptions.Abort:
        sys.exit(Exit.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(Exit.USAGE)
    except Exception as error:  # the last line of defence: no traceback unless somebody wants it
        if logging.getLogger("fleet").isEnabledFor(logging.DEBUG):
            raise
        text = f"a bug in fleet: {type(error).__name__}: {error}; -vv shows where"
        click.echo(printable(text), err=True)
        sys.exit(Exit.FAILED)

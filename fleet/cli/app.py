"""The command `fleet`: its click group, and the one place that turns errors into messages."""

from __future__ import annotations

import os
import shlex
import sys
from typing import NoReturn

import click

from fleet import __version__
from fleet.cli.commands import (
    check,
    completion,
    diff,
    drift,
    explain,
    history,
    hostkeys,
    init,
    inventory,
    locks,
    man,
    mirrors,
    probe,
    remove,
    render,
    report,
    resume,
    rollback,
    rollout,
    run,
    schema,
    undo,
    verify,
)
from fleet.cli.help import HelpGroup
from fleet.cli.log_file import LOG, note
from fleet.cli.options import Exit, shared_group
from fleet.cli.output.fitting import echo
from fleet.cli.streams import lost_streams, settle_streams, write_failed
from fleet.errors import ConfigErrors, FleetError, HeldError, JournalError, printable


@click.group(
    cls=HelpGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="fleet COMMAND --help shows the examples and options of a command.",
)
@click.version_option(__version__, prog_name="fleet")
@shared_group
def fleet() -> None:
    """Roll out containerd registry mirrors to a fleet of nodes over SSH, safely."""


for _command in (
    init.init,
    check.check,
    schema.schema,
    inventory.inventory,
    probe.probe,
    render.render,
    diff.diff,
    rollout.rollout,
    resume.resume,
    verify.verify,
    undo.undo,
    rollback.rollback,
    remove.remove,
    drift.drift,
    explain.explain,
    mirrors.mirrors,
    hostkeys.hostkeys,
    run.run,
    locks.locks,
    locks.unlock,
    report.report,
    history.history,
    man.man,
    completion.completion,
):
    fleet.add_command(_command)


def main() -> None:
    """Run fleet on streams that never raise; fail if stdout could not be written."""
    settle_streams()
    try:
        _complete()
        _run()
    except SystemExit as end:
        sys.stdout.flush()
        if write_failed() and end.code in {None, int(Exit.OK)}:
            click.echo(f"stdout cannot be written: {lost_streams()['stdout']}", err=True)
            sys.exit(Exit.FAILED)
        raise


def _complete() -> None:
    """Answer a shell that asks for completions, and exit; return for a command of a user."""
    request = os.environ.get("_FLEET_COMPLETE")
    if request:
        from fleet.cli.shell_completion import answer  # noqa: PLC0415 - only for completion

        click.echo(answer(fleet, request), nl=False)
        sys.exit(Exit.OK)


def _run() -> NoReturn:
    """Run the command and exit; an error becomes one message and an exit code.

    A mistake of the user has exit code 2.
    """
    try:
        fleet(prog_name="fleet", standalone_mode=False)
    except FleetError as error:
        echo(_harmless(str(error), safe=isinstance(error, ConfigErrors)), err=True)
        halted = isinstance(error, HeldError | JournalError)
        _leave(Exit.HALTED if halted else Exit.USAGE, error)
    except click.exceptions.Abort as error:
        again = shlex.join(["fleet", *sys.argv[1:]])
        click.echo(str(error) or f"Interrupted. Run it again: {again}", err=True)
        _leave(Exit.INTERRUPTED, error)
    except click.ClickException as error:
        error.show()
        _leave(Exit.USAGE, error)
    except Exception as error:  # noqa: BLE001 - any bug becomes a message here
        LOG.exception("a bug in fleet")  # with the traceback, for -vv and --log
        text = f"a bug in fleet: {type(error).__name__}: {error}; -vv shows where"
        echo(_harmless(text), err=True)
        _leave(Exit.FAILED, error)
    sys.exit(Exit.OK)


def _harmless(text: str, *, safe: bool = False) -> str:
    """Return an error without secrets; lines of files are `safe`, as their secrets are masked."""
    from fleet.core.masking import free_text, without_logins  # noqa: PLC0415 - only for errors

    return printable(without_logins(text) if safe else free_text(text))


def _leave(code: Exit, error: Exception) -> NoReturn:
    """Exit with a code; with --json, print the error as a JSON document first."""
    note(f"ended with {int(code)}: {error}")
    arguments = sys.argv[1:]
    if "--json" in (arguments[: arguments.index("--")] if "--" in arguments else arguments):
        from fleet.cli.output.inventory import problem_data  # noqa: PLC0415
        from fleet.cli.output.tables import print_json  # noqa: PLC0415

        problems = error.problems if isinstance(error, ConfigErrors) else ()
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        message = f"{len(problems)} mistakes in the files" if problems else _harmless(message)
        body = {"code": int(code), "message": message or "interrupted"}
        print_json({"error": {**body, "problems": [problem_data(problem) for problem in problems]}})
    sys.exit(code)

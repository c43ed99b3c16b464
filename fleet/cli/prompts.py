"""Questions to the user, asked before any worker runs: passphrases and the sudo password."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import click

from fleet.cli.log_file import hide
from fleet.cli.next_steps import NextStep, next_lines
from fleet.core.model.node import Node
from fleet.core.model.secret import Secret
from fleet.errors import FleetError
from fleet.ssh import SshSettings, encrypted_keys, passphrase_fits

_TRIES = 3


class DeclinedError(click.exceptions.Abort):
    """Ends a command whose question the user has answered with no."""


def require_terminal(purpose: str) -> None:
    """Raise a FleetError if a question could not be answered; `purpose` is what --yes allows."""
    if not sys.stdin.isatty():
        raise FleetError(f"not a terminal: add --yes to {purpose}")


def ask(question: str, declined: str, steps: Sequence[NextStep] = ()) -> None:
    """Ask a question; end the command with `declined` and next steps if the user refuses."""
    if not click.confirm(question, err=True):
        raise DeclinedError("\n".join((declined, *next_lines(steps))))


_WAIT = 2
"""Seconds to wait for input that is not a terminal: it may be empty but never close."""


def unlock_keys(settings: SshSettings, nodes: Sequence[Node]) -> SshSettings:
    """Ask for the passphrase of every encrypted key that the nodes need; check each at once."""
    given = []
    for path in encrypted_keys(nodes, settings):
        passphrase = _passphrase(path)
        if passphrase:
            given.append((path, passphrase))
    return replace(settings, passphrases=(*settings.passphrases, *given)) if given else settings


def ask_sudo_password() -> Secret:
    """Ask for the sudo password; without a terminal it is the first line of stdin."""
    if sys.stdin.isatty():
        password = Secret(click.prompt("sudo password", hide_input=True, err=True))
    else:
        password = Secret(sys.stdin.readline().rstrip("\n"))
    hide(password)
    return password


def _passphrase(path: str) -> Secret | None:
    prompt = f"passphrase of {path}"
    interactive = sys.stdin.isatty()
    for _ in range(_TRIES if interactive else 1):
        passphrase = Secret(_ask(prompt, interactive=interactive))
        if not passphrase or passphrase_fits(path, passphrase):
            hide(passphrase)
            return passphrase or None
        click.echo(f"that does not open {path}", err=True)
    raise FleetError(f"{path}: the passphrase is wrong; ssh-add {path} asks for it as well")


def _ask(prompt: str, *, interactive: bool) -> str:
    """Read a passphrase from SSH_ASKPASS if that applies, else from the terminal, else stdin."""
    program = os.environ.get("SSH_ASKPASS")
    preferred = os.environ.get("SSH_ASKPASS_REQUIRE") in {"force", "prefer"}
    if program and (preferred or not interactive):
        done = subprocess.run([program, prompt], stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - the user's own
        return done.stdout.rstrip("\r\n") if done.returncode == 0 else ""
    if interactive:
        return str(click.prompt(prompt, default="", show_default=False, hide_input=True, err=True))
    try:
        silent = not select.select([sys.stdin], [], [], _WAIT)[0]
    except (OSError, ValueError):  # an input that is not a file has no content
        return ""
    return "" if silent else sys.stdin.readline().rstrip("\n")

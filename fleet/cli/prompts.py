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
from fleet.core.model.node import Node
from fleet.core.model.secret import Secret
from fleet.errors import FleetError
from fleet.node.sudo_check import check_sudo
from fleet.node.work_order import Access
from fleet.ssh import SshSettings, encrypted_keys, passphrase_fits

_TRIES = 3


_WAIT = 2
"""Seconds to wait for input that is not a terminal: it may be empty but never close."""


def ready(access: Access, nodes: Sequence[Node]) -> Access:
    """Ask for the passphrases of encrypted keys, check the sudo password on one node.

    Returns the access with the passphrases. A key that stays locked is not an error here: the
    nodes that need it fail with the reason.
    """
    if access.asked:
        return access
    asked = replace(access, ssh=unlocked(access.ssh, nodes), asked=True)
    return check_sudo(asked, nodes) if asked.privilege.password is not None else asked


def unlocked(settings: SshSettings, nodes: Sequence[Node]) -> SshSettings:
    """Ask for the passphrase of every encrypted key that the nodes need; check each at once."""
    given = []
    for path in encrypted_keys(nodes, settings):
        passphrase = _passphrase(path)
        if passphrase:
            given.append((path, passphrase))
    return replace(settings, passphrases=(*settings.passphrases, *given)) if given else settings


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

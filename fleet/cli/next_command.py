"""The command that a user may want next."""

from __future__ import annotations

import os
import shlex

import click

from fleet.cli.options import Settings


def name_next(settings: Settings, command: str, *, first: str = "") -> None:
    """Print the command line that comes next, on stderr; `first` is what to do before it."""
    if not settings.as_json:
        settings.say(f"Next: {first}{_line(settings, command)}")


def _line(settings: Settings, command: str) -> str:
    """Return a command line with the files and nodes of this one, to be copied."""
    values = {
        "inventory": ("-i", str(settings.inventory), "inventory.yaml"),
        "mirrors": ("-m", str(settings.mirrors), "mirrors.yaml"),
        "limit": ("-l", settings.limit, None),
        "exclude": ("-x", settings.exclude, None),
        "ssh_config": ("-F", settings.ssh_config, os.environ.get("FLEET_SSH_CONFIG")),
    }
    root = click.get_current_context().find_root().command
    assert isinstance(root, click.Group)  # noqa: S101 - the root of all commands is one
    taken = {parameter.name for parameter in root.commands[command].params}
    words = [
        word
        for name, (flag, value, usual) in values.items()
        if name in taken and value is not None and value != usual
        for word in (flag, value)
    ]
    return shlex.join(["fleet", command, *words])

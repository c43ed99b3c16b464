"""The command `fleet completion`."""

from __future__ import annotations

import click

from fleet.cli.help import command
from fleet.cli.options import Settings, takes


@command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@takes()
def completion(settings: Settings, *, shell: str) -> None:
    """Print the script that completes fleet in a shell.

    Commands, options, nodes, groups, registries and rollout IDs are completed. Nothing connects
    to a node.
    """
    from fleet.cli.output.tables import print_json
    from fleet.cli.shell_completion import script

    text = script(click.get_current_context().find_root().command, shell)
    if settings.as_json:
        print_json({"shell": shell, "script": text})
    else:
        click.echo(text, nl=False)

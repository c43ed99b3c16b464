"""The command `fleet man`."""

from __future__ import annotations

import click

from fleet.cli.help import command
from fleet.cli.options import Settings, takes
from fleet.home import expanded


@command()
@click.argument("folder", metavar="DIR", type=click.Path())
@takes()
def man(settings: Settings, *, folder: str) -> None:
    """Write the man pages into a folder.

    One page for fleet and one for each command.
    """
    from fleet.cli import man_pages
    from fleet.cli.output.tables import print_json

    group = click.get_current_context().find_root().command
    assert isinstance(group, click.Group)  # noqa: S101 - the root of all commands is one
    paths = man_pages.write(group, folder)
    if settings.as_json:
        print_json({"pages": paths})
    else:
        click.echo(
            f"{len(paths)} pages in {expanded(folder)}; read one with man -l {paths['fleet']}"
        )

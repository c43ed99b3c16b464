"""The command `fleet man`."""

from __future__ import annotations

import click

from fleet.cli.options import Settings, shared
from fleet.home import expanded


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path())
@shared
def man(settings: Settings, *, folder: str) -> None:
    """Write the man pages, one a command, into DIR."""
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

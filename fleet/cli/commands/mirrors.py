"""The command `fleet mirrors test`."""

from __future__ import annotations

from typing import Any

import click

from fleet.cli.connection_options import Connection, connecting_without
from fleet.cli.help import HelpGroup
from fleet.cli.options import Exit, Settings, shared, with_columns


@click.group(cls=HelpGroup)
def mirrors() -> None:
    """Test the mirrors from the nodes."""


@mirrors.command("test")
@click.option("--per-site", is_flag=True, help="Test from one node of each site instead of all.")
@click.option("--image", "images", metavar="REF", multiple=True,
              help="Pull test with this image instead of the registry's `verify`; once for each"
                   " registry.")  # fmt: skip
@click.option("--timeout", "seconds", default=5.0, type=click.FloatRange(0.5, 60),
              show_default=True, metavar="SECONDS",
              help="Time limit of each step of a test.")  # fmt: skip
@click.option("--bytes", "size", default=1 << 20, type=click.IntRange(0, 16 << 20),
              show_default=True, metavar="N",
              help="Bytes of the first layer to download for the speed test.")  # fmt: skip
@click.option("--per-mirror", default=4, type=click.IntRange(1, 100), show_default=True,
              metavar="N", help="At most N tests of one mirror at once.")  # fmt: skip
@click.option("--write", is_flag=True, help="Write the suggested order into mirrors.yaml.")
@connecting_without("engine")
@shared
@with_columns
def test(settings: Settings, *, connection: Connection, write: bool, **flags: Any) -> None:
    """Try every endpoint from the nodes, one by one.

    Shows what is wrong with each endpoint, and suggests an order.
    """
    from fleet.actions.mirrors import MirrorTestOptions, test_mirrors
    from fleet.cli.output.mirrors import show_test
    from fleet.cli.output.mirrors_data import data_alone
    from fleet.cli.terminal import open_session

    files = settings.load()
    session = open_session(settings, connection)
    options = MirrorTestOptions(**flags, write=settings.mirrors if write else None)
    nodes = settings.select(files.inventory)
    result = test_mirrors(files, nodes, options, session, data_alone)
    show_test(result, settings, write=write)
    raise SystemExit(Exit.OK if result.good else Exit.FAILED)

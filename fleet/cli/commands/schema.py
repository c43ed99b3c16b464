"""The command `fleet schema`."""

from __future__ import annotations

import click

from fleet.cli import completers
from fleet.cli.help import ALIASES, command
from fleet.cli.options import Settings, takes
from fleet.errors import FleetError


@command()
@click.argument("name", type=click.Choice(["inventory", "mirrors", "output"]))
@click.argument("of", metavar="[COMMAND]", required=False, shell_complete=completers.commands)
@takes()
def schema(settings: Settings, *, name: str, of: str | None) -> None:
    """Print the JSON Schema of a file or of an output.

    `fleet schema output COMMAND` prints the schema of that command's --json output.
    """
    from fleet.cli.output.json_schema import OUTPUTS, output_schema
    from fleet.cli.output.tables import print_json
    from fleet.config.json_schema import inventory_schema, mirrors_schema

    del settings
    if name != "output":
        if of is not None:
            raise FleetError(f"fleet schema {name} takes no command; did you mean output?")
        print_json(inventory_schema() if name == "inventory" else mirrors_schema())
    elif of is not None and ALIASES.get(of, of) in OUTPUTS:
        print_json(output_schema(ALIASES.get(of, of)))
    else:
        raise FleetError(f"fleet schema output COMMAND: expected one of {', '.join(OUTPUTS)}")

"""The command `fleet schema`."""

from __future__ import annotations

import click

from fleet.cli.options import Settings, shared
from fleet.errors import FleetError


@click.command()
@click.argument("name", type=click.Choice(["inventory", "mirrors", "output"]))
@click.argument("command", metavar="[COMMAND]", required=False)
@shared
def schema(settings: Settings, *, name: str, command: str | None) -> None:
    """Print the JSON Schema of inventory.yaml, of mirrors.yaml, or of what COMMAND --json prints.

    `fleet schema output` names the commands.
    """
    from fleet.cli.output.json_schema import OUTPUTS, output_schema
    from fleet.cli.output.tables import print_json
    from fleet.config.json_schema import inventory_schema, mirrors_schema

    del settings
    if name != "output":
        if command is not None:
            raise FleetError(f"fleet schema {name} takes no command; did you mean output?")
        print_json(inventory_schema() if name == "inventory" else mirrors_schema())
    elif command is not None and command in OUTPUTS:
        print_json(output_schema(command))
    else:
        raise FleetError(f"fleet schema output COMMAND: expected one of {', '.join(OUTPUTS)}")

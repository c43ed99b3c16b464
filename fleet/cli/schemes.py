"""The command `fleet schema`: JSON Schemas of both files and of every command's output."""

from __future__ import annotations

from fleet.cli.output.json_schema import OUTPUTS, output_schema
from fleet.cli.output.tables import print_json
from fleet.errors import FleetError


def show(name: str, command: str | None) -> None:
    """Print one schema."""
    from fleet.config.json_schema import inventory_schema, mirrors_schema  # noqa: PLC0415

    if name != "output":
        if command is not None:
            raise FleetError(f"fleet schema {name} takes no command; did you mean output?")
        print_json(inventory_schema() if name == "inventory" else mirrors_schema())
    elif command is not None and command in OUTPUTS:
        print_json(output_schema(command))
    else:
        known = ", ".join(OUTPUTS)
        raise FleetError(f"fleet schema output COMMAND: expected one of {known}")

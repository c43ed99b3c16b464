"""The first files of a user: inventory, mirrors, an example, and schemas for editors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from fleet.config.json_schema import inventory_schema, mirrors_schema
from fleet.config.starter import EXAMPLE, starter_text
from fleet.errors import FleetError
from fleet.home import expanded
from fleet.journal.private_files import FOLDER, private_folder

_SCHEMAS = {"inventory": inventory_schema, "mirrors": mirrors_schema}


def write_files(texts: Mapping[Path, str]) -> dict[str, bool]:
    """Write files that do not exist; return for each path whether it was written."""
    written: dict[str, bool] = {}
    for path, text in texts.items():
        try:
            with expanded(path).open("x", encoding="utf-8") as target:
                target.write(text)
            written[str(path)] = True
        except FileExistsError:
            written[str(path)] = False
        except OSError as error:
            raise FleetError(f"{path}: cannot be written ({error.strerror})") from error
    return written


def example_beside(mirrors: Path) -> tuple[Path, str]:
    """Return the path and the text of the example file."""
    return mirrors.with_name(EXAMPLE), starter_text(EXAMPLE)


def write_schemas(inventory: Path, mirrors: Path) -> None:
    """Write the schemas to which the first lines of the files point.

    They are fleet's own, so those of another release are replaced.
    """
    for path, name in ((inventory, "inventory"), (mirrors, "mirrors")):
        folder = expanded(path).parent / FOLDER
        target = folder / f"{name}.schema.json"
        try:
            list(private_folder(folder))  # its warnings are the journal's to give
            target.write_text(json.dumps(_SCHEMAS[name](), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise FleetError(f"{target}: cannot be written ({error.strerror})") from error

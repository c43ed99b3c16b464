"""Schemas closed for tests: a key that no schema names is a mistake there."""

from __future__ import annotations

from typing import Any

import jsonschema

from fleet.cli.output.json_schema import output_schema


def closed(schema: Any) -> Any:
    """Return a schema that allows no key but its own, wherever it names some."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if "properties" in found:
        found.setdefault("additionalProperties", False)
    return found


def fits(command: str, document: Any) -> None:
    """Hold an answer against the closed schema of its command."""
    jsonschema.validate(document, closed(output_schema(command)))

"""The reference of inventory.yaml and mirrors.yaml, from their key tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fleet.config.inventory.keys import KEYS, NodeKey
from fleet.config.json_schema import mirrors_schema
from fleet_docs.markdown import code

Schema = Mapping[str, Any]


def inventory_keys() -> str:
    """Return a node's keys with their meaning, and their names in Ansible and older files."""
    return "\n\n".join(map(_node_key, KEYS.values()))


def _node_key(key: NodeKey) -> str:
    aliases = ", ".join(map(code, key.aliases))
    return f"{code(key.name)}\n: {key.meaning}" + (f" (also {aliases})" if aliases else "")


def mirrors_keys() -> str:
    """Return all keys of mirrors.yaml, each with its place in the file."""
    schema = mirrors_schema()
    rows = _rows("", schema, schema["$defs"])
    return "\n\n".join(f"{key} ({kind})\n: {meaning}" for key, kind, meaning in rows)


def _rows(place: str, schema: Schema, parts: Schema) -> Iterator[tuple[str, str, str]]:
    """Yield a row for every key below a place; keys that repeat others are not followed."""
    for name, value in schema.get("properties", {}).items():
        key = f"{place}.{name}" if place else name
        inner = _inner(value, parts)
        yield code(key), _kind(value), inner.get("description", "")
        if key != "overrides[].mirrors" and name != "endpoint":
            yield from _rows(key, inner, parts)
            item = _inner(inner.get("items", {}), parts)
            yield from _rows(f"{key}[]", item, parts)
            named = inner.get("additionalProperties")
            if isinstance(named, Mapping):
                yield from _rows(f"{key}.{named['title']}", _inner(named, parts), parts)


def _inner(schema: Schema, parts: Schema) -> Schema:
    """Return the schema that a reference or a choice with one object stands for."""
    if "$ref" in schema:
        return {**parts[schema["$ref"].rpartition("/")[2]], **schema}
    for choice in schema.get("anyOf", ()):
        if "properties" in choice:
            return {**choice, **schema}
    return schema


def _kind(schema: Schema) -> str:
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " or ".join(code(json.dumps(value).strip('"')) for value in values)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(choice) for choice in schema["anyOf"]))
    if "$ref" in schema:
        return "mapping"
    kind = schema["type"]
    names = [kind] if isinstance(kind, str) else kind
    return " or ".join(_NAMES[name] for name in names if name != "null")


_NAMES = {
    "string": "text",
    "object": "mapping",
    "array": "list",
    "boolean": "true or false",
    "integer": "number",
    "number": "number",
    "null": "null",
}

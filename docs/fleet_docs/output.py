"""The reference of exit codes, states and JSON documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fleet.cli.man_pages import EXITS
from fleet.cli.output.json_schema import ERROR, OUTPUTS
from fleet.cli.output.json_schema_parts import FAILURE, VERIFIED
from fleet.core.model.node_state import NodeState
from fleet.core.model.outcome import NodeStatus
from fleet_docs.markdown import code, table

Schema = Mapping[str, Any]

STATUSES: Mapping[NodeStatus, str] = {
    NodeStatus.PENDING: "not started",
    NodeStatus.UNCHANGED: "the node already had this config",
    NodeStatus.CONVERGED: "the new config is verified and confirmed",
    NodeStatus.ROLLED_BACK: "the old config is back; it works unless the node was unhealthy before",
    NodeStatus.FAILED: "failed before any change; the node is as it was",
    NodeStatus.UNREACHABLE: "no answer, a lost connection, or a change that is not settled yet",
    NodeStatus.NO_ACCESS: "the node refused fleet (host key, login or sudo); it is as it was",
    NodeStatus.STALE: "a file changed after the plan was made; that edit is untouched",
    NodeStatus.DEGRADED: "neither config is proven to work: manual repair needed",
}


def exit_codes() -> str:
    """Return the table of the exit codes."""
    return table(("code", "meaning"), [(str(int(number)), text) for number, text in EXITS.items()])


def node_states() -> str:
    """Return the table of the states that a node can be in now."""
    rows = [(code(state), state.meaning, state.remedy) for state in NodeState]
    return table(("state", "meaning", "what to do"), rows)


def node_statuses() -> str:
    """Return the table of the statuses that a node can have at the end of a rollout."""
    final = [status for status in NodeStatus if status.shown is status and not status.in_flight]
    return table(("status", "meaning"), [(code(status), STATUSES[status]) for status in final])


def documents() -> str:
    """Return the keys of what each command prints with --json."""
    parts = [f"## fleet {name}\n\n{_keys(schema)}" for name, schema in OUTPUTS.items()]
    parts += [f"## {name.capitalize()}\n\n{_keys(schema)}" for name, schema in _NAMED]
    return "\n\n".join([*parts, f"## Errors\n\n{_keys(ERROR)}"])


def _keys(schema: Schema) -> str:
    rows = list(dict.fromkeys(_rows("", schema)))  # a choice of documents repeats keys
    if rows and not any(meaning for _, _, meaning in rows):
        return table(("key", "value"), [row[:2] for row in rows])
    return (
        table(("key", "value", "meaning"), rows)
        if rows
        else f"The document is {schema['description']}."
    )


def _rows(place: str, schema: Schema) -> Iterator[tuple[str, str, str]]:
    for name, value in schema.get("properties", {}).items():
        key = f"{place}.{name}" if place else name
        yield code(key), _kind(value), value.get("description", "")
        if all(value is not part and value.get("items") is not part for _, part in _NAMED):
            yield from _rows(key, value)
    for choice in schema.get("anyOf", ()):
        yield from _rows(place, choice)
    if "items" in schema:
        yield from _rows(f"{place}[]", schema["items"])
    named = schema.get("additionalProperties")
    if isinstance(named, Mapping):
        if named.get("type") not in {"object", "array", None}:
            yield code(f"{place}.NAME"), _kind(named), named.get("description", "")
        yield from _rows(f"{place}.NAME", named)


def _kind(schema: Schema) -> str:
    for name, part in _NAMED:
        if schema is part:
            return f"[{name}](#{name}) or null" if "anyOf" in part else f"[{name}](#{name})"
        if schema.get("items") is part:
            return f"list: [{name}](#{name})"
    if "enum" in schema:
        return ", ".join(code(str(word)) for word in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(choice) for choice in schema["anyOf"]))
    kind = schema["type"]
    if kind == "array":
        return f"list of {_PLURALS.get(schema['items'].get('type', ''), 'values')}"
    return _NAMES[kind] if isinstance(kind, str) else " or ".join(_NAMES[name] for name in kind)


_NAMED: tuple[tuple[str, Schema], ...] = (("failure", FAILURE), ("verification", VERIFIED))
"""Parts that have a section of their own, as many documents hold them."""


_NAMES = {
    "string": "text",
    "object": "object",
    "boolean": "true or false",
    "integer": "number",
    "number": "number",
    "null": "null",
}


_PLURALS = {"string": "texts", "object": "objects", "integer": "numbers", "number": "numbers"}

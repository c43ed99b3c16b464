"""A writer of YAML values on which all resolvers agree, and a reader of their meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

Path = tuple[str, ...]


_STRING = "tag:yaml.org,2002:str"


_BOOLEAN = "tag:yaml.org,2002:bool"


NULL = "tag:yaml.org,2002:null"


_TRUE = {"true", "yes", "on"}


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


class YamlEditError(Exception):
    """A change that cannot be made as an edit of the text."""


def yaml_string(text: str) -> str:
    """Write a string in double quotes; escape only what YAML does not allow in them."""
    return f'"{"".join(map(_character, text))}"'


def yaml_block(entries: Mapping[str, Any], indent: int, newline: str = "\n") -> str:
    """Write the entries of a mapping, one or more lines each."""
    return "".join(_lines(entries, " " * indent, newline))


def _character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    number = ord(character)
    plain = 0x20 <= number <= 0x7E or 0xA0 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD
    if (plain and number not in {0x2028, 0x2029, 0xFEFF}) or number > 0xFFFF:
        return character
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def _lines(entries: Mapping[str, Any], margin: str, newline: str) -> Iterator[str]:
    for key, value in entries.items():
        name = f"{margin}{yaml_string(key)}:"
        if isinstance(value, Mapping) and value:
            yield name + newline
            yield from _lines(value, margin + "  ", newline)
        elif isinstance(value, list) and value:
            yield name + newline
            yield from (f"{margin}  - {yaml_flow(item)}{newline}" for item in value)
        else:
            yield f"{name} {yaml_flow(value)}{newline}"


def yaml_flow(value: Any) -> str:
    """Write a value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        pairs = (f"{yaml_string(key)}: {yaml_flow(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(yaml_flow, value))}]"
    return yaml_string(str(value))


def yaml_tree(node: Any) -> Any:
    """Return the meaning of a node, scalars with their types; aliases are expanded."""
    if isinstance(node, yaml.MappingNode):
        return {key_text(key): yaml_tree(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [yaml_tree(item) for item in node.value]
    return (node.value, node.tag) if node is not None and node.tag != NULL else None


def key_text(node: Any) -> str:
    """Return a key without quotes; raise a YamlEditError if it is a list or a mapping."""
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    message = "has a key that is not a text"
    raise YamlEditError(message)


def tree_of(value: Any) -> Any:
    """Return the tree of a value that fleet writes, in the form of `yaml_tree`."""
    if isinstance(value, Mapping):
        return {key: tree_of(item) for key, item in value.items()}
    if isinstance(value, list):
        return [tree_of(item) for item in value]
    if isinstance(value, bool):
        return ("true" if value else "false", _BOOLEAN)
    return (str(value), _STRING)


def with_entry(tree: Any, path: Path, value: Any) -> Any:
    """Return a tree with one entry set, or removed if the value is None."""
    entries = dict(tree) if isinstance(tree, dict) else {}
    if len(path) > 1:
        entries[path[0]] = with_entry(entries.get(path[0]), path[1:], value)
    elif value is not None:
        entries[path[0]] = tree_of(value)
    if value is None and (len(path) == 1 or not entries[path[0]]):
        entries.pop(path[0], None)
    return entries


def means(node: Any, value: Any) -> bool:
    """Return whether every resolver reads a node as this value."""
    if isinstance(value, Mapping):
        if not isinstance(node, yaml.MappingNode):
            return not value and (node is None or node.tag == NULL)
        entries = {key_text(key): item for key, item in node.value}
        return entries.keys() == value.keys() and all(
            means(entries[key], item) for key, item in value.items()
        )
    if isinstance(value, list):
        return (
            isinstance(node, yaml.SequenceNode)
            and len(node.value) == len(value)
            and all(map(means, node.value, value))
        )
    if not isinstance(node, yaml.ScalarNode):
        return False
    if isinstance(value, bool):
        return bool(node.tag == _BOOLEAN and (node.value.lower() in _TRUE) == value)
    return bool(node.tag == _STRING and node.value == value)

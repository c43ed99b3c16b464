"""A check of the types in registries.yaml: k3s and RKE2 do not start with wrong ones.

The types are those of `Registry` in rancher/wharfie, decoded by yaml.v2. tests/lab/registries
decodes texts with that library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from fleet.core.text.yaml_edit import compose_yaml
from fleet.core.text.yaml_values import NULL, key_text

_Problems = Iterator[tuple[int, str, str]]
"""The line of a value, the name of the setting, and the type that it must have."""


_Check = Callable[[Any, str], _Problems]


_BOOLEAN = "tag:yaml.org,2002:bool"


_MERGE = "tag:yaml.org,2002:merge"


_SHORT = {"y", "Y", "n", "N"}


_OTHER_YAML = re.compile(r"^%YAML[ \t]+(?!1\.1\b)", re.MULTILINE)


def registries_problems(text: str) -> _Problems:
    """Yield the values of a registries.yaml that have a wrong type."""
    if other := _OTHER_YAML.search(text):
        yield text.count("\n", 0, other.start()) + 1, "%YAML", "1.1 or absent"
    yield from _REGISTRY(compose_yaml(text), "")


def _text(node: Any, name: str) -> _Problems:
    if not isinstance(node, yaml.ScalarNode):
        yield _line(node), name, "a string"


def _boolean(node: Any, name: str) -> _Problems:
    plain = isinstance(node, yaml.ScalarNode) and not node.style
    if not _is_null(node) and not (plain and (node.tag == _BOOLEAN or node.value in _SHORT)):
        yield _line(node), name, "true or false, without quotes"


def _texts(node: Any, name: str) -> _Problems:
    if not isinstance(node, yaml.SequenceNode):
        if not _is_null(node):
            yield _line(node), name, "a list"
        return
    for item in node.value:
        yield from _text(item, name)


def _entries(check: _Check) -> _Check:
    """Return a check of a mapping with any keys, whose values all have one type."""

    def checked(node: Any, name: str) -> _Problems:
        for key, value in _pairs(node):
            yield from check(value, f"{name}.{key}")
        yield from _mapping(node, name)

    return checked


def _fields(checks: dict[str, _Check]) -> _Check:
    """Return a check of a mapping with known keys; all others are ignored."""

    def checked(node: Any, name: str) -> _Problems:
        for key, value in _pairs(node):
            if key in checks:
                yield from checks[key](value, f"{name}.{key}" if name else key)
        yield from _mapping(node, name)

    return checked


def _mapping(node: Any, name: str) -> _Problems:
    if not isinstance(node, yaml.MappingNode):
        if not _is_null(node):
            yield _line(node), name or "the file", "a mapping"
        return
    for key, value in node.value:
        if key.tag == _MERGE and any(
            not isinstance(source, yaml.MappingNode) for source in _sources(value)
        ):
            yield _line(value), f"{name}.<<" if name else "<<", "a mapping"


def _pairs(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a mapping, and those that a merge key adds."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.tag != _MERGE:
            yield key_text(key), value
            continue
        for source in _sources(value):
            yield from _pairs(source)


def _sources(merged: Any) -> Iterator[Any]:
    """Yield the sources of a merge key: one mapping, or the items of a list."""
    yield from merged.value if isinstance(merged, yaml.SequenceNode) else (merged,)


def _is_null(node: Any) -> bool:
    return node is None or (isinstance(node, yaml.ScalarNode) and node.tag == NULL)


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


_AUTH = _fields(dict.fromkeys(("username", "password", "auth", "identity_token"), _text))


_TLS = _fields(
    {
        **dict.fromkeys(("ca_file", "cert_file", "key_file"), _text),
        "insecure_skip_verify": _boolean,
    }
)


_REGISTRY = _fields(
    {
        "mirrors": _entries(_fields({"endpoint": _texts, "rewrite": _entries(_text)})),
        "configs": _entries(_fields({"auth": _AUTH, "tls": _TLS})),
        "auths": _entries(_AUTH),
    }
)

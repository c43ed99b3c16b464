"""The printer of a config in the layout of `containerd config dump`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dump_toml(data: Mapping[str, Any]) -> str:
    """Return a document as TOML."""
    return "".join(f"{line}\n" for line in _lines(data, ()))


def _lines(data: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    indent = "  " * max(len(path) - 1, 0)
    inner = "  " * len(path)
    if path:
        yield f"{indent}[{'.'.join(map(_key, path))}]"
    tables = {key: value for key, value in data.items() if isinstance(value, Mapping)}
    for key in sorted(data.keys() - tables.keys()):
        yield f"{inner}{_key(key)} = {_value(data[key])}"
    for key in sorted(tables):
        yield ""
        yield from _lines(tables[key], (*path, key))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_key(k)} = {_value(v)}' for k, v in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)

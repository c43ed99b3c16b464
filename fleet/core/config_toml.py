"""config.toml edited in place: the registry tables alone, every other byte as it was.

Every edit is judged by parsing the result with tomllib: it must hold exactly what was meant, and
no line may go that does not assign the key that was set.
"""

from __future__ import annotations

import copy
import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from fleet.core.hosts_toml import quoted, toml_value
from fleet.core.outcome import FailureKind, NodeError
from fleet.core.versions import ContainerdVersion, capability

CRI_1 = "io.containerd.grpc.v1.cri"
IMAGES = "io.containerd.cri.v1.images"
Table = tuple[str, ...]
Setting = str | bool | list[str]
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def parse_config(text: str, path: str) -> dict[str, Any]:
    """Parse config.toml; raise a NodeError that names the line where it is broken."""
    if "{{" in text and "}}" in text:
        line = text[: text.index("{{")].count("\n") + 1
        raise _refused(f"{path}:{line}: this is a template; fleet edits no generated files")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{path} is not valid TOML: {error}; mend it by hand first"
        raise NodeError(FailureKind.CONFLICT, "plan", message) from error


def registry_table(data: Mapping[str, Any], version: ContainerdVersion, path: str) -> Table:
    """Return the table that this version reads in a file of this `version` key."""
    root = data.get("version", 1)
    can = capability(version)
    if not isinstance(root, int) or isinstance(root, bool) or not 0 <= root <= 4:
        raise _refused(f"{path}: version = {root!r} is no config version that fleet knows")
    if root > can.max_config_version:
        raise _refused(f"{path}: containerd {version} does not read config version {root}")
    if root >= 3:
        return ("plugins", IMAGES, "registry")
    if root == 2:
        return ("plugins", CRI_1, "registry")
    if can.versionless_config:
        return ("plugins", "cri", "registry")
    why = "its whole CRI section is ignored already; convert the file to version = 2 by hand"
    raise _refused(f"{path} has no version = 2 and containerd {version} drops such files: {why}")


def effective_registry(dump: Mapping[str, Any]) -> dict[str, Any]:
    """Return the registry table of a parsed `config dump`, in whichever table it stands."""
    plugins = dump.get("plugins", {})
    for name in (IMAGES, CRI_1, "cri"):
        found = dig(plugins, (name, "registry"))
        if isinstance(found, dict):
            return found
    return {}


def dig(data: Any, path: Table) -> Any:
    """Follow `path` into nested tables; None where it ends early."""
    for key in path:
        if not isinstance(data, Mapping) or key not in data:
            return None
        data = data[key]
    return data


def set_key(text: str, table: Table, key: str, value: Setting) -> str:
    """Set one key of one table, and return `text` with every other byte as it was."""
    data = tomllib.loads(text)
    current = dig(data, table)
    if isinstance(current, dict) and current.get(key) == value:
        return text
    wanted = _with(data, table, key, value)
    for candidate in _candidates(text, table, key, value):
        if _holds(candidate, wanted) and _spares(text, candidate, key):
            return candidate
    place = ".".join(table)
    raise _refused(f"cannot set {place}.{key} without touching other lines; set it by hand")


def drop_table(text: str, table: Table) -> str:
    """Remove a table that fleet appended itself; refuse where someone has changed its form."""
    data = tomllib.loads(text)
    if dig(data, table) is None:
        return text
    header = re.escape(f"[{dotted(table)}]")
    block = re.compile(rf"(?:\A|\r?\n){header}\r?\n(?:[ \t]+\w+ = [^\n]*\n)+")
    candidate = block.sub("", text, count=1)
    left = _pruned(tomllib.loads(candidate))
    if candidate == text or left != _pruned(_without(data, table)):
        raise _refused(f"[{dotted(table)}] is not as fleet wrote it; remove it by hand")
    return candidate


def dotted(table: Table) -> str:
    """Write a table's name as its header has it."""
    return ".".join(key if _BARE.fullmatch(key) else quoted(key) for key in table)


def _candidates(text: str, table: Table, key: str, value: Setting) -> Iterator[str]:
    """Yield ways to write the edit, the gentlest first."""
    yield _appended(text, table, key, value)
    edited = _edited(text, table, key, value)
    if edited is not None:
        yield edited


def _appended(text: str, table: Table, key: str, value: Setting) -> str:
    """Put the key into the table that stands last, or into a new one at the end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    header = f"[{dotted(table)}]"
    start = text if not text or text.endswith("\n") else text + newline
    lines = [line.strip() for line in text.splitlines() if line.lstrip().startswith("[")]
    if lines and lines[-1] == header:
        return f"{start}  {key} = {toml_value(value)}{newline}"
    gap = newline if text else ""
    return f"{start}{gap}{header}{newline}  {key} = {toml_value(value)}{newline}"


def _edited(text: str, table: Table, key: str, value: Setting) -> str | None:
    """Edit with tomlkit; None where tomlkit itself cannot keep this file as it is."""
    try:
        document = tomlkit.parse(text)
        if tomlkit.dumps(document) != text:
            return None
        place: Any = document
        for name in table:
            place = place[name]
        place[key] = value
        result = tomlkit.dumps(document)
    except (TOMLKitError, KeyError, AttributeError, TypeError, ValueError):
        return None
    return re.sub(r"(?<!\r)\n", "\r\n", result) if "\r\n" in text else result


def _with(data: dict[str, Any], table: Table, key: str, value: Any) -> dict[str, Any]:
    result = copy.deepcopy(data)
    place = result
    for name in table:
        place = place.setdefault(name, {})
        if not isinstance(place, dict):
            raise _refused(f"{dotted(table)}: {name} is no table")
    place[key] = value
    return result


def _without(data: dict[str, Any], table: Table) -> dict[str, Any]:
    """Return the data less one table."""
    result = copy.deepcopy(data)
    del dig(result, table[:-1])[table[-1]]
    return result


def _pruned(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data less its empty tables, which say nothing."""
    pairs = ((k, _pruned(v) if isinstance(v, dict) else v) for k, v in data.items())
    return {key: value for key, value in pairs if value != {}}


def _holds(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _spares(before: str, after: str, key: str) -> bool:
    """Say whether no line went but the one that assigned `key`."""
    old, new = _lines(before), _lines(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    gone = [
        old[a1:a2] for tag, a1, a2, _, _ in matcher.get_opcodes() if tag in {"replace", "delete"}
    ]
    return all(key in lines[0] for lines in gone) and len(gone) <= 1


def _lines(text: str) -> list[str]:
    """Part a text into lines that keep their ends; a last line without one is given it."""
    newline = "\r\n" if "\r\n" in text else "\n"
    whole = text if not text or text.endswith("\n") else text + newline
    return whole.splitlines(keepends=True)


def _refused(message: str) -> NodeError:
    return NodeError(FailureKind.UNSUPPORTED, "plan", message)

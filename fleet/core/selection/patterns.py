"""Patterns that select nodes, in the syntax of Ansible and ClusterShell."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping

from fleet.core.model.inventory import Inventory
from fleet.core.model.node import Node
from fleet.core.selection.labels import LABEL
from fleet.core.selection.ranges import expand
from fleet.errors import FleetError

_PART = re.compile(r"(?:\[[^\]]*\]|[^\[:,])+")


_LABELED_PART = re.compile(rf"\s*[&!]?{LABEL}[^\[:,]+|{_PART.pattern}")


Read = Callable[[str], str]


def select(
    inventory: Inventory, limit: str | None, exclude: str | None, read: Read
) -> tuple[Node, ...]:
    """Return the nodes of `limit` without those of `exclude`, in inventory order.

    Parts are joined by `:` or `,`. `&part` keeps only nodes of the part, `!part` leaves its nodes
    out, and `@file` reads parts from a file, one per line. A part that selects no node raises a
    FleetError, and so does an empty text: a script whose variable is unset must not select the
    whole fleet.
    """
    chosen = _select_names(inventory, "all" if limit is None else limit, read)
    if exclude is not None:
        chosen -= _select_names(inventory, exclude, read)
    nodes = tuple(node for node in inventory.nodes if node.name in chosen)
    if not nodes:
        excluding = f" --exclude {exclude}" if exclude else ""
        raise FleetError(f"--limit {limit or 'all'}{excluding} selects no node")
    return nodes


def override_matches(inventory: Inventory, texts: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Return, by node, which of these patterns select it; a pattern may select no node."""
    matches: dict[str, set[str]] = {}
    for text in dict.fromkeys(texts):
        for name in _select_names(inventory, text, _refuse_file, strict=False):
            matches.setdefault(name, set()).add(text)
    return {name: frozenset(matching) for name, matching in matches.items()}


def _refuse_file(path: str) -> str:
    raise FleetError(f"@{path}: mirrors.yaml cannot select nodes by a file")


def _select_names(
    inventory: Inventory, pattern: str, read: Read, *, strict: bool = True
) -> set[str]:
    chosen: set[str] = set()
    required: list[set[str]] = []
    excluded: set[str] = set()
    parts = _split_parts(pattern, labels=not _knows(inventory, LABEL.rstrip(":")))
    for part in parts:
        names = _part_names(inventory, part.lstrip("&!").strip(), read, strict=strict)
        if part.startswith("&"):
            required.append(names)
        elif part.startswith("!"):
            excluded |= names
        else:
            chosen |= names
    if all(part.startswith(("&", "!")) for part in parts):
        chosen = {node.name for node in inventory.nodes}
    for names in required:
        chosen &= names
    return chosen - excluded


def _split_parts(pattern: str, *, labels: bool) -> tuple[str, ...]:
    """Return the parts of a pattern; with `labels` the colon of `label:pool=gpu` joins."""
    parts = tuple(part.strip() for part in (_LABELED_PART if labels else _PART).findall(pattern))
    if not any(parts):
        raise FleetError(f"{pattern!r} is an empty pattern: name nodes or groups, or use all")
    if re.search(r"[\[\]]", re.sub(r"\[[^\[\]]*\]", "", pattern)):
        raise FleetError(f"{pattern!r}: unbalanced bracket")
    return parts


def _part_names(inventory: Inventory, part: str, read: Read, *, strict: bool) -> set[str]:
    if part.startswith("@"):
        return _names_in_file(inventory, part[1:], read)
    all_names = {node.name for node in inventory.nodes}
    if part in {"all", "*"}:
        return all_names
    selected: set[str] = set()
    for name in expand(part):
        if group := inventory.groups.get(name):
            selected |= set(group.nodes)
        matching = {name} & all_names
        if not matching and _is_glob(name):
            matching = set(fnmatch.filter(all_names, name))
        groups = fnmatch.filter(inventory.groups, name) if _is_glob(name) else []
        selected |= matching.union(*(inventory.groups[group_name].nodes for group_name in groups))
        if strict and not matching and group is None and not groups:
            raise FleetError(_no_match_message(name, inventory))
    return selected


def _knows(inventory: Inventory, name: str) -> bool:
    return name in inventory.groups or any(node.name == name for node in inventory.nodes)


def _is_glob(text: str) -> bool:
    return any(mark in text for mark in "*?")


def _no_match_message(name: str, inventory: Inventory) -> str:
    if reason := inventory.left_out.get(name):
        return f"{name} is left out: {reason}"
    known = {node.name for node in inventory.nodes} | inventory.groups.keys()
    near = difflib.get_close_matches(name, tuple(known), 1)
    hint = f' (did you mean "{near[0]}"?)' if near else ""
    return f'the inventory has no node or group "{name}"{hint}'


def _names_in_file(inventory: Inventory, path: str, read: Read) -> set[str]:
    try:
        lines = read(path).splitlines()
    except OSError as error:
        raise FleetError(f"@{path}: cannot be read ({error.strerror})") from error
    parts = [part for part in (line.partition("#")[0].strip() for line in lines) if part]
    if any("@" in part for part in parts):
        raise FleetError(f"@{path}: a pattern file cannot include another one")
    try:
        return _select_names(inventory, ",".join(parts), read)
    except FleetError as error:
        raise FleetError(f"@{path}: {error}") from error

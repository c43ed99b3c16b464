"""Reader of inventory.yaml, in the shape of Ansible's: nodes, with the source of every value."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fleet.config.inventory.keys import ALIASES, FOREIGN, KEYS, SECRETS
from fleet.config.lookalikes import has_lookalike
from fleet.config.reader import Reader, unknown_key
from fleet.core.model.inventory import Group, Inventory, InventoryValue
from fleet.core.model.node import Node, Origin
from fleet.core.selection.labels import LABEL_GROUP
from fleet.core.selection.ranges import expand
from fleet.core.text.yaml import MappingEntry, Value
from fleet.errors import FleetError

GROUP_NAME = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,252}}|{LABEL_GROUP.pattern}")


_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")


_GROUP_KEYS = ("hosts", "vars", "children")


@dataclass(frozen=True, slots=True)
class ParsedValue:
    """One value that the file gives for a key, and its place."""

    value: Any
    origin: Origin
    at: Value


Vars = dict[str, ParsedValue]


def node_name_problem(name: str) -> str | None:
    """Return why a text cannot be the name of a node; None if it can."""
    if _NAME.fullmatch(name):
        return None
    return f"invalid node name {name!r}: use letters, digits, '.', '-' and '_'"


@dataclass(slots=True)
class _GroupPart:
    """A group while it is read: it may appear at several places of the file."""

    name: str
    vars: Vars = field(default_factory=dict)
    hosts: dict[str, None] = field(default_factory=dict)
    children: dict[str, None] = field(default_factory=dict)
    parents: dict[str, None] = field(default_factory=dict)


class InventoryReader:
    """Reads one inventory; all its mistakes are in `reader`."""

    def __init__(self, file: str) -> None:
        self.reader = Reader(file)
        self._groups: dict[str, _GroupPart] = {}
        self._hosts: dict[str, Vars] = {}
        self._places: dict[str, Value] = {}
        self._cyclic = False

    def read(self, root: Value) -> Inventory:
        """Return the inventory; it is whole only if the reader has no problems."""
        return self.read_all([(self.reader.file, root)])

    def read_all(self, roots: Sequence[tuple[str, Value]], *, empty: bool = False) -> Inventory:
        """Return the inventory of several files, each with its name; `empty` allows no nodes."""
        self._group("all")
        for file, root in roots:
            self.reader.file = file
            for name, entry in self.reader.mapping(root, "").items():
                self._read_group(name, entry, parent=None if name == "all" else "all")
        for name, place in self._places.items():
            if name in self._groups:
                self.reader.error(place, name, "is the name of a node and also of a group")
        self._refuse_cycles(root)
        if self._cyclic:
            return Inventory((), {})
        distances = {name: self._ancestors(name) for name in self._groups}
        nodes = tuple(self._node(name, distances) for name in self._hosts)
        if not nodes and not empty and not self.reader.problems:
            self.reader.error(root, "", "has no nodes: write them under all.hosts")
        self._warn_same_address(nodes)
        return Inventory(nodes, {name: self._finished(name, nodes) for name in self._groups})

    def _group(self, name: str) -> _GroupPart:
        return self._groups.setdefault(name, _GroupPart(name))

    # -- reading -----------------------------------------------------------------------------

    def _read_group(self, name: str, entry: MappingEntry, parent: str | None) -> None:
        if not GROUP_NAME.fullmatch(name):
            self.reader.error(
                entry.key, "", f"invalid group name {name!r}: use letters, digits, '.', '-' and '_'"
            )
            return
        group = self._group(name)
        if parent is not None:
            group.parents[parent] = None
            self._group(parent).children[name] = None
        body = self.reader.mapping(entry.value, name)
        self.reader.known_keys(body, name, _GROUP_KEYS)
        if "vars" in body:
            where = f"{name}.vars"
            for key, given in self._vars(body["vars"].value, where).items():
                self._merge(group.vars, key, given, where)
                if not KEYS[key].shared:
                    text = (
                        f"{key} is for one node: all nodes of the group would be the same machine"
                    )
                    self.reader.error(given.at, where, text)
        if "hosts" in body:
            for pattern, host in self.reader.mapping(body["hosts"].value, f"{name}.hosts").items():
                self._read_host(pattern, host, group)
        if "children" in body:
            children = self.reader.mapping(body["children"].value, f"{name}.children")
            for child, child_entry in children.items():
                self._read_group(child, child_entry, parent=name)

    def _read_host(self, pattern: str, entry: MappingEntry, group: _GroupPart) -> None:
        place = f"{group.name}.{pattern}"
        given = self._vars(entry.value, place)
        try:
            names = expand(pattern)
        except FleetError as error:
            self.reader.error(entry.key, group.name, str(error))
            return
        for key in given if len(names) > 1 else ():
            if not KEYS[key].shared:
                text = f"one {key} for {len(names)} nodes: they would all be the same machine"
                self.reader.error(given[key].at, place, text)
        for name in names:
            problem = node_name_problem(name)
            if problem is not None:
                self.reader.error(entry.key, group.name, problem)
                return
            self._places.setdefault(name, entry.key)
            group.hosts[name] = None
            own = self._hosts.setdefault(name, {})
            for key, value in given.items():
                self._merge(own, key, value, place)

    def _merge(self, into: Vars, key: str, given: ParsedValue, place: str) -> None:
        """Add a value; record an error if the same level has another value for the key."""
        first = into.setdefault(key, given)
        if first.value != given.value:
            text = f"{key} is {given.value!r} here, but {first.value!r} on line {first.at.line}"
            self.reader.error(given.at, place, text)

    def _vars(self, value: Value, place: str) -> Vars:
        variables: Vars = {}
        for name, entry in self.reader.mapping(value, place).items():
            key = ALIASES.get(name, name)
            where = f"{place}.{name}"
            if name in SECRETS:
                text = "remove this password: -K asks for that of sudo, and SSH needs a key"
                self.reader.error(entry.key, where, text)
            elif key not in KEYS:
                self._refuse_near_miss(name, entry, place)
            elif entry.value.data is not None and not self._is_template(entry.value, where):
                read = KEYS[key].read(self.reader, entry.value, where)
                if read is not None:
                    at = entry.value
                    origin = Origin(self.reader.file, at.line, at.column, place)
                    self._merge(variables, key, ParsedValue(read, origin, at), where)
        return variables

    def _is_template(self, value: Value, place: str) -> bool:
        is_template = isinstance(value.data, str) and "{{" in value.text
        if is_template:
            self.reader.error(value, place, "templates are not evaluated: write the value itself")
        return is_template

    def _refuse_near_miss(self, name: str, entry: MappingEntry, place: str) -> None:
        """Record an error for a misspelt key of ours; ignore other tools' variables."""
        ours = tuple(
            key
            for key in (*KEYS, *ALIASES)
            if key.startswith("ansible_") == name.startswith("ansible_")
        )
        near = difflib.get_close_matches(name, ours, 1, 0.93 if "ansible_" in name else 0.85)
        anagram = sorted(name) in [sorted(key) for key in ours]
        if name not in FOREIGN and (near or anagram or has_lookalike(name)):
            self.reader.error(entry.key, place, unknown_key(name, ours))

    def _refuse_cycles(self, root: Value) -> None:
        for name in self._groups:
            if name in self._ancestors(name) and self._ancestors(name)[name] > 0:
                self.reader.error(root, name, "the group is one of its own children")
                self._cyclic = True

    def _warn_same_address(self, nodes: tuple[Node, ...]) -> None:
        """Warn of two names for one address: a change refuses a machine that has two."""
        first: dict[tuple[str, int | None, str | None], Node] = {}
        for node in nodes:
            other = first.setdefault((node.host.lower(), node.port, node.jump), node)
            if other is not node:
                line = self._places[other.name].line
                keep = f" (line {line}): keep one name"
                if not line:  # both names come from a cluster
                    keep = ": delete one of these Node objects, or leave it out with -x"
                text = f"{node.host} is also the address of {other.name}{keep}"
                self.reader.warn(self._places[node.name], node.name, text)

    # -- resolving ---------------------------------------------------------------------------

    def _ancestors(self, name: str) -> dict[str, int]:
        """Return a group and all groups above it by distance; `all` is always the farthest."""
        distances: dict[str, int] = {}
        front = [name]
        for distance in range(len(self._groups) + 1):
            above: list[str] = []
            for group in front:
                parents = self._groups[group].parents
                if group == name and distance:
                    return {**distances, name: distance}
                if group not in distances:
                    distances[group] = distance
                    above += parents
            front = above
        if name != "all":
            distances["all"] = len(self._groups) + 1
        return distances

    def _node(self, name: str, distances: Mapping[str, Mapping[str, int]]) -> Node:
        direct = [group for group in self._groups.values() if name in group.hosts]
        nearest: dict[str, int] = {}
        for group in direct:
            for above, distance in distances[group.name].items():
                nearest[above] = min(distance, nearest.get(above, distance))
        nearest.setdefault("all", len(self._groups) + 1)
        groups = sorted(nearest, key=lambda name: nearest[name])
        given = dict(self._inherited(name, groups, nearest))
        given.update(self._hosts[name])
        values = {key: name.value for key, name in given.items()}
        values.setdefault("host", name)
        origins = {key: name.origin for key, name in given.items()}
        return Node(name=name, groups=tuple(groups), origins=origins, **values)

    def _inherited(
        self, name: str, groups: list[str], nearest: Mapping[str, int]
    ) -> Iterator[tuple[str, ParsedValue]]:
        """Return the values of the nearest groups; record an error if two of them disagree."""
        nearest_values: dict[str, tuple[int, ParsedValue]] = {}
        for group in groups:
            for key, given in self._groups[group].vars.items():
                distance, first = nearest_values.setdefault(key, (nearest[group], given))
                own = key in self._hosts[name] or KEYS[key].limits_group
                if distance == nearest[group] and first.value != given.value and not own:
                    text = (
                        f"{key} is {given.value!r} by {given.origin.place} and {first.value!r} by"
                        f" {first.origin.place} on line {first.at.line}; set it for the node itself"
                    )
                    self.reader.error(given.at, name, text)
        return ((key, given) for key, (_, given) in nearest_values.items())

    def _finished(self, name: str, nodes: tuple[Node, ...]) -> Group:
        group = self._groups[name]
        members = tuple(node.name for node in nodes if name in node.groups)
        size = group.vars.get("max_unavailable")
        return Group(
            name,
            members,
            tuple(group.children),
            size.value if size else None,
            {key: InventoryValue(given.value, given.origin) for key, given in group.vars.items()},
        )

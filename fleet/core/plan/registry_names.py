"""The names of the registries that a node's present and saved files have settings for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from fleet.core.containerd.registry_url import folder_name
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.owned_state import STATE_FILE, parse_state
from fleet.core.plan.registry_view import read_view, registry_of
from fleet.core.text.toml_scan import split
from fleet.errors import FleetError


def refuse_unknown_registry(name: str, nodes: Iterable[NodeFacts]) -> None:
    """Raise a FleetError if no node has or had settings for a registry of this name."""
    known: set[str] = set()
    for facts in nodes:
        known |= registry_names(facts)
        if name in known:
            return
    near = difflib.get_close_matches(name, sorted(known), 1, 0.6)
    hint = f' (did you mean "{near[0]}"?)' if near else ""
    raise FleetError(f'--registry: no node has or had settings for "{name}"{hint}')


def registry_names(facts: NodeFacts) -> set[str]:
    """Return the registries that the files of a node name now, or named in a saved generation."""
    files = list(facts.files.items())
    files += [
        (entry.path, entry.before)
        for generation in facts.generations
        for entry in generation.entries
        if entry.is_file and entry.before is not None
    ]
    return {name for path, file in files for name in _names(path, file)} | _folders(facts)


def _names(path: str, file: ManagedFile) -> Iterator[str]:
    """Yield the registries that one file names: a config, a hosts.toml, or fleet's record."""
    if path != STATE_FILE:
        yield from map(folder_name, read_view(path, file).registries)
        return
    for setting in parse_state(file.content).legacy:
        table, registry, *_ = split(setting)
        if table == "mirrors":
            yield folder_name(registry)


def _folders(facts: NodeFacts) -> set[str]:
    """Return the registries by their folders, which also count if a hosts.toml is broken."""
    saved = (entry.path for generation in facts.generations for entry in generation.entries)
    paths = (path for path in (*facts.files, *saved) if path.endswith("/hosts.toml"))
    return {registry_of(path.split("/")[-2]) for path in paths}

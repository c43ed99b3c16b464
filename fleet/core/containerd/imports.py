"""The files that make up a daemon's config: the root, its imports, and how they are merged."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from fleet.core.containerd.config import config_version, parse_config
from fleet.core.containerd.features import Feature, supports
from fleet.core.containerd.managed_header import HEADER
from fleet.core.containerd.merged_config import (
    MergedConfig,
    merge_files,
)
from fleet.core.containerd.registry_table import registry_plugins, usual_plugins
from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.facts import NodeFacts
from fleet.core.model.paths import clean_path
from fleet.core.model.version import ContainerdVersion
from fleet.core.text.documents import words
from fleet.core.text.toml_edit import dig
from fleet.core.text.toml_scan import Path, newline_of, statements

_MOST = 200


_LONGEST = 4096
"""The most characters of a path; no system allows more."""


_DEEPEST = 12
"""The most keys of a path by which a line is looked up; containerd's tables are less deep."""


_MARK = "\ufeff"


_GLOB = re.compile(r"[*?\[\\]")
"""The special characters of Go's filepath.Match."""


_BYTES = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class Layer:
    """A file of the config, as text and parsed; `mark` is the byte-order mark before the text."""

    path: str
    text: str
    data: Mapping[str, Any]
    mark: str = ""

    def line(self, path: Path) -> int:
        """Return the line, from 1, where a table or key begins; 1 if it is not in the text."""
        return line_of(self.text, path)

    def at(self, path: Path) -> str:
        """Return the file and line of a table or key."""
        return f"{self.path}:{self.line(path)}"


def line_of(text: str, path: Path) -> int:
    """Return the line, from 1, where a table or key begins; 1 if it is not in the text."""
    return _line_index(text).get(path[:_DEEPEST], 1)


@functools.lru_cache(maxsize=8)
def _line_index(text: str) -> dict[Path, int]:
    """Return the line where each path begins; one pass over a text serves all lookups."""
    index: dict[Path, int] = {}
    line, counted = 1, 0
    for statement in statements(text):
        line += text.count("\n", counted, statement.start)
        counted = statement.start
        for size in range(1, min(len(statement.path), _DEEPEST) + 1):
            index.setdefault(statement.path[:size], line)
    return index


@dataclass(frozen=True)
class ConfigView:
    """All layers in the order in which the daemon merges them, the root first."""

    version: ContainerdVersion
    layers: tuple[Layer, ...]

    @property
    def root(self) -> Layer:
        """Return the file that the daemon is started with."""
        return self.layers[0]

    def version_of(self, layer: Layer) -> int:
        """Return the config version of a layer; an import without one has its root's."""
        data = layer.data if "version" in layer.data else self.root.data
        return config_version(data, self.version, layer.path)

    @functools.cached_property
    def config(self) -> MergedConfig:
        """Return the merged files; raise a NodeError for a config version that is not supported."""
        for layer in self.layers:
            self.version_of(layer)
        return merge_files(self.version, [layer.data for layer in self.layers])

    def effective_tables(self, layer: Layer) -> tuple[Path, ...]:
        """Return the registry tables that the daemon reads in a layer; the last one wins."""
        names = registry_plugins(self.version, self.config, layer.data)
        return tuple(("plugins", name, "registry") for name in names)

    def merged(self) -> dict[str, Any]:
        """Return the merged registry table, without the daemon's defaults."""
        return self.config.registry

    def owner(self, key: str) -> Layer:
        """Return the layer that decides a registry key, or the one in which to set it.

        Before 2.0, CRI's table of the last file that has one replaces those of all others.
        """
        for layer in reversed(self.layers):
            for table in self.effective_tables(layer):
                if not supports(self.version, Feature.IMPORTS_MERGE):
                    decides = dig(layer.data, table[:2]) is not None
                else:
                    decides = bool(dig(layer.data, (*table, key)))
                if decides:
                    return layer
        return self.root

    def tables(self, layer: Layer) -> tuple[Path, ...]:
        """Return the registry tables in which a setting may go in a layer, the best one first."""
        effective = self.effective_tables(layer)
        present = [
            table for table in reversed(effective) if isinstance(dig(layer.data, table), Mapping)
        ]
        names = usual_plugins(self.version, self.config, layer.data)
        usual = [("plugins", name, "registry") for name in names]
        return tuple(dict.fromkeys((*present, *usual)))

    def with_text(self, path: str, text: str) -> ConfigView:
        """Return the view with a new text for one layer."""
        changed = (
            replace(layer, text=text, data=parse_config(text, path))
            if layer.path == path
            else layer
            for layer in self.layers
        )
        return replace(self, layers=tuple(changed))

    def with_new(self, facts: NodeFacts, path: str) -> ConfigView:
        """Return the view with a new import, which has the root's version."""
        newline = newline_of(self.root.text)
        version = self.root.data.get("version")
        text = HEADER.replace("\n", newline)
        text += f"version = {version}{newline}" if version is not None else ""
        texts = {layer.path: layer.mark + layer.text for layer in self.layers}
        return _read_layers(facts, self.version, {**texts, path: text})


def config_view(facts: NodeFacts, version: ContainerdVersion, start: str) -> ConfigView:
    """Read all layers of a node; `start` is the text of a root that is absent or empty."""
    return _read_layers(facts, version, {facts.config.path: facts.config_text or start})


def _read_layers(
    facts: NodeFacts, version: ContainerdVersion, texts: Mapping[str, str]
) -> ConfigView:
    """Read the root and everything it imports; `texts` take precedence over the node's files."""
    paths = {*facts.files, *texts}
    layers = [_parse_layer(facts.config.path, texts[facts.config.path], version)]
    pending = _imported_paths(layers[0], paths, version)
    while pending and len(layers) < _MOST:
        path = pending.pop(0)
        if path not in paths or any(layer.path == path for layer in layers):
            continue
        file = facts.files.get(path)
        content = file.content.decode("utf-8", "surrogateescape") if file else ""
        layers.append(_parse_layer(path, texts.get(path, content), version))
        pending += _imported_paths(layers[-1], paths, version)
    return ConfigView(version, tuple(layers))


def _parse_layer(path: str, text: str, version: ContainerdVersion) -> Layer:
    mark = _MARK if text.startswith(_MARK) else ""
    problem = ""
    if mark and not supports(version, Feature.BYTE_ORDER_MARK):
        problem = "begins with a byte-order mark"
    elif not supports(version, Feature.ANY_BYTES) and _BYTES.search(text):
        problem = "contains bytes that are not UTF-8"
    if problem:
        message = f"{path} {problem}, which containerd {version} refuses"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, "save it as plain UTF-8")
    return Layer(path, text[len(mark) :], parse_config(text[len(mark) :], path), mark)


def _imported_paths(layer: Layer, paths: Collection[str], version: ContainerdVersion) -> list[str]:
    """Return the files that a file imports, in the order in which the daemon reads them."""
    if not supports(version, Feature.IMPORTS):
        return []
    folder = layer.path.rpartition("/")[0]
    imported: list[str] = []
    patterns = [entry for entry in words(layer.data, "imports") if entry]
    if len(patterns) > _MOST or any(len(entry) > _LONGEST for entry in patterns):
        message = (
            f"{layer.at(('imports',))}: fleet follows at most {_MOST} imports of at most"
            f" {_LONGEST} characters each"
        )
        raise NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, "shorten this list by hand")
    for pattern in patterns:
        relative = not pattern.startswith("/")
        if "*" not in pattern:
            path = clean_path(f"{folder}/{pattern}" if relative else pattern)
            if path not in paths and supports(version, Feature.IMPORT_MUST_EXIST):
                raise _missing_import(layer, path)
            imported.append(path)
        elif not relative or supports(version, Feature.RELATIVE_GLOBS):
            glob = clean_path(f"{folder}/{pattern}" if relative else pattern)
            imported += sorted(path for path in paths if _matches(path, glob))
    return imported


def _missing_import(layer: Layer, path: str) -> NodeError:
    message = f"{layer.at(('imports',))}: imports {path}, which is missing or unreadable"
    remedy = "create that file, or remove the import"
    return NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)


def _matches(path: str, pattern: str) -> bool:
    """Return whether Go's filepath.Glob would match; a star does not match a slash."""
    parts, pattern_parts = path.split("/"), pattern.split("/")
    if len(parts) != len(pattern_parts):
        return False
    return all(
        fnmatchcase(part, pattern_part)
        for part, pattern_part in zip(parts, pattern_parts, strict=True)
    )


def imported_folder(view: ConfigView) -> str | None:
    """Return a folder from which the root imports every *.toml by an absolute path, or None."""
    for pattern in words(view.root.data, "imports"):
        folder, _, name = pattern.rpartition("/")
        if name == "*.toml" and folder.startswith("/") and not _GLOB.search(folder):
            return clean_path(folder)
    return None

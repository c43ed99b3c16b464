"""Loading of inventory and mirrors together, so that the mistakes of both are reported at once."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fleet.config.files import read_text
from fleet.config.inventory.cluster import SETTINGS, is_cluster, read_cluster_inventory
from fleet.config.inventory.ini import looks_like_ini, parse_ini
from fleet.config.inventory.kubectl import as_inventory, is_node_list
from fleet.config.inventory.yaml import InventoryReader
from fleet.config.lookalikes import with_lookalikes
from fleet.config.mirrors.kubespray import as_mirrors, is_kubespray
from fleet.config.mirrors.yaml import MirrorsReader
from fleet.config.placeholders import PLACEHOLDER, placeholder_problems, without_placeholders
from fleet.config.reader import Reader
from fleet.core.masking.excerpt import with_excerpts
from fleet.core.model.inventory import Inventory
from fleet.core.model.mirror import MirrorConfig
from fleet.core.selection.patterns import override_matches
from fleet.core.text.yaml import Value, parse_yaml
from fleet.errors import ConfigErrors, Problem


@dataclass(frozen=True, slots=True)
class Loaded:
    """Both files as values, with warnings about what works but should be looked at."""

    inventory: Inventory
    mirrors: MirrorConfig
    warnings: tuple[Problem, ...] = ()
    inventory_path: Path = Path("inventory.yaml")
    mirrors_path: Path = Path("mirrors.yaml")


def load_inventory(path: Path) -> Inventory:
    """Read the nodes from a file of any supported format; raise ConfigErrors with every mistake."""
    return read_inventory(path)[0]


def read_cluster(path: Path, seconds: float | None = None) -> tuple[Inventory, tuple[Problem, ...]]:
    """Return the nodes of a cluster, with the settings of an inventory.yaml in this folder.

    `seconds` is the deadline of each call of its API; None is the usual one.
    """
    if not SETTINGS.is_file():
        inventory, notes = read_cluster_inventory(path, None, seconds)
        return inventory, tuple(notes)
    text = read_text(SETTINGS, "-i")
    with _with_excerpts(text):
        reader = Reader(str(SETTINGS))
        root = inventory_tree(SETTINGS, text, reader)
        if reader.problems:
            raise ConfigErrors(reader.problems)
        inventory, notes = read_cluster_inventory(path, (SETTINGS, root), seconds)
    return inventory, tuple(with_excerpts(notes, text))


def read_inventory(path: Path) -> tuple[Inventory, tuple[Problem, ...]]:
    """Return the nodes, and warnings about what works but should be looked at."""
    if is_cluster(path):
        return read_cluster(path)
    text = read_text(path, "-i")
    yaml = not _is_ini(path, text)
    with _with_excerpts(text, yaml=yaml):
        reader = InventoryReader(str(path))
        root = inventory_tree(path, text, reader.reader)
        inventory = reader.read(root)
        _refuse(text, root, reader.reader)
        return inventory, tuple(with_excerpts(reader.reader.warnings, text, yaml=yaml))


@contextlib.contextmanager
def _with_excerpts(text: str, *, yaml: bool = True) -> Iterator[None]:
    """Add excerpts of the file to the ConfigErrors that are raised inside."""
    try:
        yield
    except ConfigErrors as error:
        problems = with_lookalikes(error.problems, text)
        parts = (with_excerpts(part, text, yaml=yaml) for part in (problems, error.warnings))
        raise ConfigErrors(*parts) from error


def inventory_tree(path: Path, text: str, reader: Reader) -> Value:
    """Detect the format (YAML, INI, a plain list or kubectl's JSON) and return the file's tree."""
    if text.lstrip().startswith("{"):
        with contextlib.suppress(ValueError, RecursionError):
            data = json.loads(text)
            if is_node_list(data):
                return as_inventory(data)
    if _is_ini(path, text):
        return parse_ini(text, reader)
    return parse_yaml(text, str(path), reader.problems)


def _is_ini(path: Path, text: str) -> bool:
    yaml_name = path.suffix in {".yaml", ".yml", ".json"}
    return path.suffix == ".ini" or (not yaml_name and looks_like_ini(text))


def load_mirrors(path: Path) -> tuple[MirrorConfig, tuple[Problem, ...]]:
    """Read the registries and the warnings; raise ConfigErrors with every mistake."""
    text = read_text(path, "-m")
    config, reader = _read_mirrors(path, text)
    return config, tuple(with_excerpts(reader.reader.warnings, text))


def _read_mirrors(path: Path, text: str) -> tuple[MirrorConfig, MirrorsReader]:
    with _with_excerpts(text):
        config, reader, root = _parse_mirrors(path, text)
        _refuse(text, root, reader.reader)
        return config, reader


def _parse_mirrors(path: Path, text: str) -> tuple[MirrorConfig, MirrorsReader, Value]:
    """Return the registries as far as they can be read; the mistakes are in the reader."""
    reader = MirrorsReader(str(path), path.parent)
    root = parse_yaml(text, str(path), reader.reader.problems)
    if is_kubespray(root):
        root = as_mirrors(root, reader.reader)
    return reader.read(root), reader, root


def readable_mirrors(path: Path) -> MirrorConfig:
    """Return the registries as far as they can be read, for completion; ignore the mistakes."""
    return _parse_mirrors(path, read_text(path, "-m"))[0]


def _refuse(text: str, root: Value, reader: Reader) -> None:
    """Raise the mistakes of a file, if it has any: those found, and placeholders that are left."""
    left = placeholder_problems(root, reader.file) if PLACEHOLDER in text else []
    problems = without_placeholders(reader.problems, left)
    if problems:
        raise ConfigErrors(problems, reader.warnings)


def load_files(inventory_path: Path, mirrors_path: Path) -> Loaded:
    """Read both files; raise ConfigErrors with the mistakes of both."""
    errors: list[ConfigErrors] = []
    inventory, config, text = Inventory((), {}), MirrorConfig(()), ""
    warnings: tuple[Problem, ...] = ()
    reader = MirrorsReader(str(mirrors_path), mirrors_path.parent)
    try:
        inventory, warnings = read_inventory(inventory_path)
    except ConfigErrors as error:
        errors.append(error)
    try:
        text = read_text(mirrors_path, "-m")
        config, reader = _read_mirrors(mirrors_path, text)
    except ConfigErrors as error:
        errors.append(error)
    if not errors:
        _warn_idle(inventory, reader)
    warnings = (*warnings, *with_excerpts(reader.reader.warnings, text))
    if errors:
        problems = [problem for error in errors for problem in error.problems]
        raise ConfigErrors(problems, [*warnings, *(w for error in errors for w in error.warnings)])
    return Loaded(inventory, config, warnings, inventory_path, mirrors_path)


def _warn_idle(inventory: Inventory, reader: MirrorsReader) -> None:
    """Warn of overrides that select no node: a misspelt group would otherwise go unnoticed."""
    for match in reader.matches:
        if not override_matches(inventory, [match.text]):
            reader.reader.warn(match, "match", f"{match.text!r} selects no node of the inventory")

"""Both files at once, so that every mistake of both is told at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fleet.config.inventory import InventoryReader
from fleet.config.mirrors import MirrorsReader
from fleet.config.strict_yaml import read_yaml
from fleet.core.model import Inventory, MirrorConfig
from fleet.errors import ConfigErrors, Problem


@dataclass(frozen=True, slots=True)
class Loaded:
    """Both files as values, with what should be looked at."""

    inventory: Inventory
    mirrors: MirrorConfig
    warnings: tuple[Problem, ...] = ()


def load_inventory(path: Path) -> Inventory:
    """Read the nodes; raise ConfigErrors with every mistake."""
    root = read_yaml(path)
    reader = InventoryReader(str(path))
    inventory = reader.read(root)
    if reader.reader.problems:
        raise ConfigErrors(reader.reader.problems)
    return inventory


def load_mirrors(path: Path) -> tuple[MirrorConfig, tuple[Problem, ...]]:
    """Read the registries and the warnings; raise ConfigErrors with every mistake."""
    root = read_yaml(path)
    reader = MirrorsReader(str(path), path.parent)
    config = reader.read(root)
    if reader.reader.problems:
        raise ConfigErrors(reader.reader.problems)
    return config, tuple(reader.reader.warnings)


def load_files(inventory_path: Path, mirrors_path: Path) -> Loaded:
    """Read both files; raise ConfigErrors with the mistakes of both."""
    problems: list[Problem] = []
    inventory, config = Inventory((), {}), MirrorConfig(())
    warnings: tuple[Problem, ...] = ()
    try:
        inventory = load_inventory(inventory_path)
    except ConfigErrors as error:
        problems += error.problems
    try:
        config, warnings = load_mirrors(mirrors_path)
    except ConfigErrors as error:
        problems += error.problems
    if problems:
        raise ConfigErrors(problems)
    return Loaded(inventory, config, warnings)

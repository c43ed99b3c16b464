"""The registry table that each release reads: `registry` of CRI's plugin, by its name there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.core.containerd.config import CRI_1, IMAGES, OLD_CRI
from fleet.core.containerd.features import Feature, supports
from fleet.core.containerd.merged_config import MergedConfig, declared_version, plugins_of
from fleet.core.model.version import ContainerdVersion
from fleet.core.text.documents import table
from fleet.core.text.toml_edit import dig


def effective_registry(dump: Mapping[str, Any]) -> dict[str, Any]:
    """Return the registry table of a parsed `config dump`, whichever plugin holds it."""
    for name in (IMAGES, CRI_1, OLD_CRI):
        registry = dig(dump, ("plugins", name, "registry"))
        if isinstance(registry, Mapping):
            return dict(registry)
    return {}


def registry_plugins(
    version: ContainerdVersion, config: MergedConfig, data: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the plugins whose registry table is read in a file; the last one wins."""
    own_version, plugins = declared_version(data), plugins_of(data)
    if not supports(version, Feature.IMPORTS_MERGE):
        return (CRI_1,) if config.config_version >= 2 else (OLD_CRI,)
    old = (OLD_CRI, CRI_1) if own_version < 2 else (CRI_1,)
    if supports(version, Feature.MIGRATES_EACH_FILE):
        wins = any("registry" in table(plugins.get(name)) for name in old)
        return (IMAGES,) if own_version >= 4 else old if wins else (IMAGES, *old)
    if config.config_version >= 3:
        return (IMAGES,)
    return old if config.old_wins else (IMAGES, *old)


def usual_plugins(
    version: ContainerdVersion, config: MergedConfig, data: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the plugins whose registry table may be added to a file, the usual one first."""
    own_version, plugins = declared_version(data), plugins_of(data)
    if not supports(version, Feature.IMPORTS_MERGE):
        return (CRI_1,) if config.config_version >= 2 else (OLD_CRI,)
    if supports(version, Feature.MIGRATES_EACH_FILE):
        old = CRI_1 if own_version >= 2 or CRI_1 in plugins else OLD_CRI
        return (
            (IMAGES,) if own_version >= 4 else (IMAGES, old) if own_version == 3 else (old, IMAGES)
        )
    old = OLD_CRI if own_version < 2 and OLD_CRI in plugins else CRI_1
    return (IMAGES,) if config.config_version >= 3 else (old, IMAGES)

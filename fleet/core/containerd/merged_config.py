"""The merged config of a daemon, as each release merges its config files.

The rules are those of LoadConfig and of the plugins' ConfigMigration in containerd's sources. They
are compared with `config dump` of every release in tests/golden.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.core.containerd.config import CRI_1, IMAGES
from fleet.core.containerd.features import Feature, supports
from fleet.core.model.version import ContainerdVersion

_OLD = "cri"


_MOVED = (
    "registry",
    "image_decryption",
    "max_concurrent_downloads",
    "image_pull_progress_timeout",
    "image_pull_with_sync_fs",
    "stats_collect_period",
)


_MOVED_WITH_RUNTIMES = ("snapshotter", "disable_snapshot_annotations", "discard_unpacked_layers")


@dataclass(frozen=True, slots=True)
class MergedConfig:
    """The result of merging all files.

    `said` is the config version by which plugins are finally read, `images` the table with CRI's
    image settings, `rest` all of `plugins` except the registry tables. `certain` is false if the
    daemon picks one of two tables at random.
    """

    said: int
    images: Mapping[str, Any]
    rest: Mapping[str, Any]
    certain: bool = True
    old_wins: bool = False
    """Whether CRI's old plugin has a registry table, which replaces that of the new one."""

    @property
    def registry(self) -> dict[str, Any]:
        """Return the effective registry table, without the daemon's defaults."""
        found = self.images.get("registry")
        return dict(found) if isinstance(found, Mapping) else {}


def merge_files(version: ContainerdVersion, files: Iterable[Mapping[str, Any]]) -> MergedConfig:
    """Merge parsed config files in the order in which the daemon reads them."""
    if not supports(version, Feature.IMPORTS_MERGE):
        return _replaced(files)
    if supports(version, Feature.MIGRATES_EACH_FILE):
        return _migrated_each(files)
    return _migrated_together(files)


def _plugins(data: Mapping[str, Any]) -> dict[str, Any]:
    found = data.get("plugins")
    return dict(found) if isinstance(found, Mapping) else {}


def _said(data: Mapping[str, Any]) -> int:
    said = data.get("version", 0)
    return said if isinstance(said, int) else 0


def _replaced(files: Iterable[Mapping[str, Any]]) -> MergedConfig:
    """Merge as 1.x does: a plugin's table replaces those of all earlier files."""
    said, plugins = 1, dict[str, Any]()
    for data in files:
        said = _said(data) or said
        plugins.update(_plugins(data))
    images = plugins.get(CRI_1 if said >= 2 else _OLD)
    return MergedConfig(said, _table(images), _rest(plugins))


def _migrated_together(files: Iterable[Mapping[str, Any]]) -> MergedConfig:
    """Merge as 2.0 to 2.2 do: the version of the last file decides how all of them are read."""
    said, plugins, certain = 3, dict[str, Any](), True
    for data in files:
        own = _plugins(data)
        certain = certain and not _doubled(data)
        if _said(data) < 2:
            own = _renamed(own)
        else:
            said = _said(data)
        plugins = deep_merge(plugins, own)
    images = _table(plugins.get(IMAGES))
    if said < 3:
        images = _images_of(images, _table(plugins.get(CRI_1)))
    old = "registry" in _table(plugins.get(CRI_1))
    return MergedConfig(said, images, _rest(plugins), certain or said >= 3, old)


def _migrated_each(files: Iterable[Mapping[str, Any]]) -> MergedConfig:
    """Merge as 2.3 does: every file is migrated to the newest version first."""
    root, images, rest, certain = 0, dict[str, Any](), dict[str, Any](), True
    for data in files:
        own = _plugins(data)
        said = _said(data)
        root = root or said
        certain = certain and not _doubled(data)
        table = _table(own.get(IMAGES))
        if said < 4:
            table = _images_of(table, _table(own.get(CRI_1)))
        if said < 2:
            table = _images_of(table, _table(own.get(_OLD)))
        images = deep_merge(images, table)
        rest = deep_merge(rest, _rest(own))
    return MergedConfig(root, images, rest, certain)


def _doubled(data: Mapping[str, Any]) -> bool:
    """Return whether a file without a version has CRI's table under both of its names."""
    own = _plugins(data)
    return _said(data) < 2 and CRI_1 in own and _OLD in own


def _renamed(plugins: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(plugins)
    if _OLD in found:
        found[CRI_1] = found.pop(_OLD)
    return found


def _images_of(images: Mapping[str, Any], cri: Mapping[str, Any]) -> dict[str, Any]:
    """Return the images plugin's settings, overridden by those of CRI's old table."""
    found = dict(images)
    found.update({key: cri[key] for key in _MOVED if key in cri})
    containerd = _table(cri.get("containerd"))
    if "runtimes" in containerd:  # without it the daemon ignores the rest of the table
        found.update({key: containerd[key] for key in _MOVED_WITH_RUNTIMES if key in containerd})
    return found


def _rest(plugins: Mapping[str, Any]) -> dict[str, Any]:
    """Return all plugins without CRI's registry tables."""
    return {
        name: {key: value for key, value in table.items() if key != "registry"}
        if name in {CRI_1, IMAGES, _OLD} and isinstance(table, Mapping)
        else table
        for name, table in plugins.items()
    }


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def deep_merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge nested tables key by key; `over` wins, and lists are replaced."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            result[key] = deep_merge(old, value)
        else:
            result[key] = copy.deepcopy(value)
    return result


# -- the tables of settings, and those that can be added ------------------------------------------


def registry_plugins(
    version: ContainerdVersion, config: MergedConfig, data: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the plugins whose registry table is read in a file; the last one wins."""
    own, plugins = _said(data), _plugins(data)
    if not supports(version, Feature.IMPORTS_MERGE):
        return (CRI_1,) if config.said >= 2 else (_OLD,)
    old = (_OLD, CRI_1) if own < 2 else (CRI_1,)
    if supports(version, Feature.MIGRATES_EACH_FILE):
        wins = any("registry" in _table(plugins.get(name)) for name in old)
        return (IMAGES,) if own >= 4 else old if wins else (IMAGES, *old)
    if config.said >= 3:
        return (IMAGES,)
    return old if config.old_wins else (IMAGES, *old)


def usual_plugins(
    version: ContainerdVersion, config: MergedConfig, data: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the plugins whose registry table may be added to a file, the usual one first."""
    own, plugins = _said(data), _plugins(data)
    if not supports(version, Feature.IMPORTS_MERGE):
        return (CRI_1,) if config.said >= 2 else (_OLD,)
    if supports(version, Feature.MIGRATES_EACH_FILE):
        old = CRI_1 if own >= 2 or CRI_1 in plugins else _OLD
        return (IMAGES,) if own >= 4 else (IMAGES, old) if own == 3 else (old, IMAGES)
    old = _OLD if own < 2 and _OLD in plugins else CRI_1
    return (IMAGES,) if config.said >= 3 else (old, IMAGES)

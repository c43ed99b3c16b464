"""The merged config of a daemon, as each release merges its config files.

The rules are those of LoadConfig and of the plugins' ConfigMigration in containerd's sources. They
are compared with `config dump` of every release in tests/golden.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.core.containerd.config import CRI_1, IMAGES, OLD_CRI
from fleet.core.containerd.features import Feature, supports
from fleet.core.model.version import ContainerdVersion

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

    `config_version` is the one by which plugins are finally read, `images` the table with CRI's
    image settings, `rest` all of `plugins` except the registry tables. `certain` is false if the
    daemon picks one of two tables at random.
    """

    config_version: int
    images: Mapping[str, Any]
    rest: Mapping[str, Any]
    certain: bool = True
    old_wins: bool = False
    """Whether CRI's old plugin has a registry table, which replaces that of the new one."""

    @property
    def registry(self) -> dict[str, Any]:
        """Return the effective registry table, without the daemon's defaults."""
        table = self.images.get("registry")
        return dict(table) if isinstance(table, Mapping) else {}


def merge_files(version: ContainerdVersion, files: Iterable[Mapping[str, Any]]) -> MergedConfig:
    """Merge parsed config files in the order in which the daemon reads them."""
    if not supports(version, Feature.IMPORTS_MERGE):
        return _merge_by_replacing(files)
    if supports(version, Feature.MIGRATES_EACH_FILE):
        return _migrate_then_merge(files)
    return _merge_then_migrate(files)


def plugins_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables of the plugins in a file."""
    plugins = data.get("plugins")
    return dict(plugins) if isinstance(plugins, Mapping) else {}


def declared_version(data: Mapping[str, Any]) -> int:
    """Return the config version that a file declares; 0 if it does not."""
    version = data.get("version", 0)
    return version if isinstance(version, int) else 0


def _merge_by_replacing(files: Iterable[Mapping[str, Any]]) -> MergedConfig:
    """Merge as 1.x does: a plugin's table replaces those of all earlier files."""
    version, plugins = 1, dict[str, Any]()
    for data in files:
        version = declared_version(data) or version
        plugins.update(plugins_of(data))
    images = plugins.get(CRI_1 if version >= 2 else OLD_CRI)
    return MergedConfig(version, _table(images), _without_registry(plugins))


def _merge_then_migrate(files: Iterable[Mapping[str, Any]]) -> MergedConfig:
    """Merge as 2.0 to 2.2 do: the version of the last file decides how all of them are read."""
    version, plugins, certain = 3, dict[str, Any](), True
    for data in files:
        own_plugins = plugins_of(data)
        certain = certain and not _has_both_names(data)
        if declared_version(data) < 2:
            own_plugins = _with_new_name(own_plugins)
        else:
            version = declared_version(data)
        plugins = deep_merge(plugins, own_plugins)
    images = _table(plugins.get(IMAGES))
    if version < 3:
        images = _image_settings(images, _table(plugins.get(CRI_1)))
    old = "registry" in _table(plugins.get(CRI_1))
    return MergedConfig(version, images, _without_registry(plugins), certain or version >= 3, old)


def _migrate_then_merge(files: Iterable[Mapping[str, Any]]) -> MergedConfig:
    """Merge as 2.3 does: every file is migrated to the newest version first."""
    root, images, rest, certain = 0, dict[str, Any](), dict[str, Any](), True
    for data in files:
        own_plugins = plugins_of(data)
        version = declared_version(data)
        root = root or version
        certain = certain and not _has_both_names(data)
        table = _table(own_plugins.get(IMAGES))
        if version < 4:
            table = _image_settings(table, _table(own_plugins.get(CRI_1)))
        if version < 2:
            table = _image_settings(table, _table(own_plugins.get(OLD_CRI)))
        images = deep_merge(images, table)
        rest = deep_merge(rest, _without_registry(own_plugins))
    return MergedConfig(root, images, rest, certain)


def _has_both_names(data: Mapping[str, Any]) -> bool:
    """Return whether a file without a version has CRI's table under both of its names."""
    plugins = plugins_of(data)
    return declared_version(data) < 2 and CRI_1 in plugins and OLD_CRI in plugins


def _with_new_name(plugins: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(plugins)
    if OLD_CRI in result:
        result[CRI_1] = result.pop(OLD_CRI)
    return result


def _image_settings(images: Mapping[str, Any], cri: Mapping[str, Any]) -> dict[str, Any]:
    """Return the images plugin's settings, overridden by those of CRI's old table."""
    result = dict(images)
    result.update({key: cri[key] for key in _MOVED if key in cri})
    containerd = _table(cri.get("containerd"))
    if "runtimes" in containerd:  # without it the daemon ignores the rest of the table
        result.update({key: containerd[key] for key in _MOVED_WITH_RUNTIMES if key in containerd})
    return result


def _without_registry(plugins: Mapping[str, Any]) -> dict[str, Any]:
    """Return all plugins without CRI's registry tables."""
    return {
        name: {key: value for key, value in table.items() if key != "registry"}
        if name in {CRI_1, IMAGES, OLD_CRI} and isinstance(table, Mapping)
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

"""Conflicts in a node's own config, found before a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fleet.core.containerd.config import CRI_1, IMAGES
from fleet.core.containerd.features import Feature, supports
from fleet.core.containerd.hosts_document import decode_hosts
from fleet.core.containerd.imports import ConfigView, Layer
from fleet.core.containerd.legacy_settings import legacy_paths
from fleet.core.lint.hosts_toml import hosts_findings
from fleet.core.lint.refused_config import unreadable
from fleet.core.lint.shared_folders import shared_findings
from fleet.core.model.facts import NodeFacts
from fleet.core.model.finding import Finding, FindingEffect
from fleet.core.model.version import ContainerdVersion
from fleet.core.text.documents import word, words
from fleet.core.text.toml_edit import dig
from fleet.core.text.toml_scan import dotted

_DEFAULTS = ("/etc/containerd/certs.d/", "/etc/docker/certs.d/")


_LOCAL_PULLS = {
    "use_local_image_pull": True,
    "discard_unpacked_layers": True,
    "disable_snapshot_annotations": False,
    "image_pull_with_sync_fs": True,
}


def lint(view: ConfigView, facts: NodeFacts) -> Iterator[Finding]:
    """Yield every conflict of the config files, the gravest kinds first."""
    yield from unreadable(view)
    yield from _disabled_findings(view)
    yield from _version_findings(view)
    merged = view.merged()
    yield from _legacy_findings(view, merged)
    yield from _config_path_findings(view, word(merged, "config_path"), facts)
    yield from _wrong_table_findings(view)
    yield from _shadowed_findings(facts)
    yield from shared_findings(facts)


def _disabled_findings(view: ConfigView) -> Iterator[Finding]:
    for layer in view.layers:
        for name in words(layer.data, "disabled_plugins"):
            if name in {"cri", CRI_1, IMAGES}:
                message = (
                    f"disabled_plugins lists {name}, so CRI is switched off (as in Docker's"
                    " package); on a Kubernetes node, remove that entry by hand"
                )
                where = layer.at(("disabled_plugins",))
                yield Finding("cri-disabled", FindingEffect.REFUSES, where, message)


def _version_findings(view: ConfigView) -> Iterator[Finding]:
    if not view.config.certain:
        message = (
            "has two CRI tables, plugins.cri and one by its full name: containerd"
            f" {view.version} uses either of them at random; merge them by hand"
        )
        yield Finding("mixed-names", FindingEffect.REFUSES, view.root.path, message)
    if supports(view.version, Feature.MIXED_IMPORT_VERSIONS):
        return
    # A root without a version takes that of the first import that has one. Up to 2.2, version 1
    # counts as no version.
    least = 1 if supports(view.version, Feature.MIGRATES_EACH_FILE) else 2
    root = 0
    for layer in view.layers:
        version = view.version_of(layer) if "version" in layer.data else 0
        root = root or (version if version >= least else 0)
        if version > root >= least:
            message = (
                f"is imported with version {version}, after a file with version {root}:"
                f" containerd {view.version} loses the other's CRI settings or refuses to start"
            )
            where = layer.at(("version",))
            yield Finding("mixed-versions", FindingEffect.REFUSES, where, message, stops_cri=True)


def _legacy_findings(view: ConfigView, merged: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield mirrors (and, on 1.x, tls tables) beside config_path; alone they are just legacy."""
    if not supports(view.version, Feature.CONFIG_PATH):
        return
    alone = not merged.get("config_path")
    for layer in view.layers:
        for table in view.effective_tables(layer):
            registry = dig(layer.data, table)
            for path in legacy_paths(registry) if isinstance(registry, Mapping) else ():
                if not dig(registry, path):
                    continue
                fatal = path[0] == "mirrors" or supports(view.version, Feature.LEGACY_TLS)
                stops_cri = fatal and not alone
                if path[0] == "mirrors" and not supports(view.version, Feature.LEGACY_ALONE):
                    stops_cri = True
                code = "legacy-beside-config-path" if stops_cri else "legacy"
                message = (
                    f"{dotted(path)} beside config_path: CRI does not load, although the unit is"
                    " active"
                    if stops_cri
                    else f"{dotted(path)}: legacy settings, which will move to certs.d"
                )
                yield Finding(
                    code, FindingEffect.HEALS, layer.at((*table, *path)), message, stops_cri
                )


def pulls_locally(view: ConfigView) -> bool:
    """Return whether CRI of 2.1 and newer pulls by itself; a joined config_path works there."""
    merged, images = view.merged(), view.config.images
    if any(merged.get(key) for key in ("mirrors", "configs", "auths")):
        return True
    if any(images.get(key) is value for key, value in _LOCAL_PULLS.items()):
        return True
    return bool(images.get("max_concurrent_downloads", 3) != 3)


def reads_lists(view: ConfigView) -> bool:
    """Return whether this daemon splits a config_path that names several directories."""
    return supports(view.version, Feature.CONFIG_PATH_LIST) or pulls_locally(view)


def _config_path_findings(view: ConfigView, current: str, facts: NodeFacts) -> Iterator[Finding]:
    if not supports(view.version, Feature.CONFIG_PATH):
        return
    where = view.owner("config_path")
    place = _config_path_place(view, where)
    if ":" in current and not reads_lists(view):
        message = (
            f"config_path {current!r} names several directories: containerd {view.version} reads"
            " none of them"
        )
        yield Finding("config-path-list", FindingEffect.HEALS, place, message)
    hidden = any(path.startswith(_DEFAULTS) for path in facts.files)
    if not current and hidden and supports(view.version, Feature.CONFIG_PATH_DEFAULT):
        message = (
            f"config_path is not set, and containerd {view.version} does not read its default (two"
            " directories): a hosts.toml there has no effect"
        )
        yield Finding("config-path-default", FindingEffect.HEALS, place, message)


def _config_path_place(view: ConfigView, layer: Layer) -> str:
    for table in view.effective_tables(layer):
        if dig(layer.data, (*table, "config_path")) is not None:
            return layer.at((*table, "config_path"))
    return layer.path


def _wrong_table_findings(view: ConfigView) -> Iterator[Finding]:
    """Yield the registry tables of each file that this daemon does not read there."""
    for layer in view.layers:
        live = set(view.effective_tables(layer))
        for plugin in (CRI_1, IMAGES, "cri"):
            table = ("plugins", plugin, "registry")
            if dig(layer.data, table) and table not in live:
                message = (
                    f"[{dotted(table)}] has no effect: in a file of version"
                    f" {view.version_of(layer)}, containerd {view.version} reads"
                    f" {' and '.join(dotted(path) for path in live) or 'no CRI table'}"
                )
                yield Finding("wrong-table", FindingEffect.NOTES, layer.at(table), message)
        for name in layer.data:
            if name != name.lower() and name.lower() == "plugins":
                message = f"containerd 2.x merges [{name}] into [plugins]; write it in lower case"
                yield Finding("wrong-table", FindingEffect.REFUSES, layer.at((name,)), message)


def _shadowed_findings(facts: NodeFacts) -> Iterator[Finding]:
    for folder in sorted(facts.paths.directories):
        base, _, name = folder.rpartition("/")
        host, mark, port = name.rpartition(":")
        twin = f"{base}/{host}_{port}_"
        if mark and port.isdigit() and twin in facts.paths.directories:
            message = f"is never read: {twin} exists too and takes precedence"
            yield Finding("shadowed-folder", FindingEffect.NOTES, folder, message)


def foreign_hosts(
    facts: NodeFacts, version: ContainerdVersion, managed: frozenset[str]
) -> Iterator[Finding]:
    """Yield the defects of every hosts.toml; those in `managed`, which fleet rewrites, heal."""
    for path, file in sorted(facts.files.items()):
        if path.endswith("/hosts.toml"):
            text = decode_hosts(file.content)
            effect = FindingEffect.HEALS if path in managed else FindingEffect.NOTES
            yield from hosts_findings(path, text, version, effect)

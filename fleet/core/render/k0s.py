"""The strategy for k0s: a drop-in in /etc/k0s/containerd.d.

k0s watches that folder and restarts containerd by itself. By k0s's docs/runtime.md, drop-ins count
only while containerd.toml begins with its mark. From containerd 2 on they must be of version 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fleet.core.containerd.config import CRI_1, IMAGES, parse_config
from fleet.core.containerd.features import Feature, supports
from fleet.core.containerd.managed_header import HEADER
from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.lint.config import foreign_hosts
from fleet.core.model.facts import NodeFacts
from fleet.core.model.finding import Finding, FindingEffect
from fleet.core.model.paths import clean_path
from fleet.core.render.base import (
    DesiredConfig,
    DesiredFiles,
    Refusals,
    auth_settings,
    file_like,
    known_version,
)
from fleet.core.render.dormant_folders import FolderCheck, refuse_broken
from fleet.core.render.hosts_folder import hosts_folder_files
from fleet.core.text.documents import word
from fleet.core.text.toml_edit import dig, set_keys
from fleet.core.text.toml_scan import dotted
from fleet.core.text.toml_splice import Entry

CONFIG = "/etc/k0s/containerd.toml"


FOLDER = "/etc/k0s/containerd.d/"


DROP_IN = f"{FOLDER}fleet.toml"


CERTS_D = "/etc/k0s/certs.d"


_MARK = "# k0s_managed=true"


class K0s:
    """A strategy that writes one drop-in, and hosts.toml files in the folder that it names."""

    name = "k0s drop-in"

    def supports(self, facts: NodeFacts) -> bool:
        """Return whether k0s runs this node's containerd."""
        return facts.daemon.owner == "k0s"

    def render(self, facts: NodeFacts, desired: DesiredConfig) -> DesiredFiles:
        """Return the drop-in and every hosts.toml."""
        version = known_version(facts)
        _refuse_unmanaged(facts)
        modern = supports(version, Feature.IMPORTS_MERGE)
        table = ("plugins", IMAGES if modern else CRI_1, "registry")
        others = list(_registries(facts))
        findings = list(_conflicts(others, facts))
        Refusals(findings).check()
        named = [path for _, registry in others if (path := word(registry, "config_path"))]
        directory = clean_path((named or [CERTS_D])[-1].split(":")[0])  # the last file counts
        auth = auth_settings(desired.registries)
        text = HEADER + f"version = {3 if modern else 2}\n"
        entries: list[Entry] = [] if named else [(table, "config_path", directory)]
        for host, pairs in auth.items():
            entries += [((*table, "configs", host, "auth"), *pair) for pair in pairs]
        text = set_keys(text, entries)
        files, skipped = hosts_folder_files(desired.registries, directory, facts, desired.foreign)
        if not named or auth:
            files[DROP_IN] = file_like(facts, DROP_IN, text.encode(), secret=bool(auth))
        managed = frozenset(files)
        findings += foreign_hosts(facts, version, managed)
        check = FolderCheck(
            facts=facts,
            version=version,
            bases=(directory,),
            waking="" if named or DROP_IN in facts.files else directory,
            managed=managed,
            foreign=desired.foreign,
        )
        dormant = tuple(check.findings())
        refuse_broken(dormant)
        findings += dormant
        note = f"{DROP_IN}: k0s watches this folder and restarts containerd by itself"
        return DesiredFiles(
            files,
            directory,
            tuple(dotted(("configs", host, "auth")) for host in auth),
            (note, *skipped),
            findings=tuple(findings),
        )


def _refuse_unmanaged(facts: NodeFacts) -> None:
    file = facts.files.get(CONFIG)
    if file is not None and not file.content.decode("utf-8", "replace").lstrip().startswith(_MARK):
        message = (
            f"{CONFIG} does not begin with {_MARK!r}, so k0s does not manage it and does not read"
            " drop-ins"
        )
        remedy = "set config_path there by hand, or remove the file so that k0s manages it again"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)


def _registries(facts: NodeFacts) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the path and registry table of each drop-in that is not fleet's."""
    for path, file in sorted(facts.files.items()):
        if path.startswith(FOLDER) and path.endswith(".toml") and path != DROP_IN:
            data = parse_config(file.content.decode("utf-8", "surrogateescape"), path)
            for plugin in (CRI_1, IMAGES):
                registry = dig(data, ("plugins", plugin, "registry"))
                if isinstance(registry, dict):
                    yield path, registry


def _conflicts(others: list[tuple[str, dict[str, Any]]], facts: NodeFacts) -> Iterator[Finding]:
    for path, registry in others:
        if registry.get("mirrors"):
            message = "CRI does not load if one config has both registry.mirrors and config_path."
            message += " Move these mirrors to mirrors.yaml"
            yield Finding("legacy-beside-config-path", FindingEffect.REFUSES, path, message)
        lists = facts.daemon.version is not None and supports(
            facts.daemon.version, Feature.CONFIG_PATH_LIST
        )
        if ":" in word(registry, "config_path") and not lists:
            message = "config_path names several directories, and this release reads none of them"
            yield Finding("config-path-list", FindingEffect.REFUSES, path, message)

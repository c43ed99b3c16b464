"""The active hosts directory of a node: the one that its daemon reads, if any."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.core.containerd.features import Feature, supports
from fleet.core.containerd.imports import ConfigView, config_view
from fleet.core.failure import NodeError
from fleet.core.lint.config import reads_lists
from fleet.core.model.facts import NodeFacts
from fleet.core.model.paths import hosts_directories
from fleet.core.render.base import known_version
from fleet.core.text.documents import word


@dataclass(frozen=True, slots=True)
class HostsDirectory:
    """The folder of hosts.toml that the daemon reads, if any: a liveness name can be put there.

    `reason` is why there is none, and so what a pull does not prove. `direct` is whether the daemon
    asks its own loopback in plain HTTP without such a folder.
    """

    folder: str | None
    reason: str = ""
    direct: bool = True


def active_hosts_directory(facts: NodeFacts) -> HostsDirectory:
    """Return the folder that is in force; raise a NodeError if the config cannot be read."""
    version = known_version(facts)
    if not supports(version, Feature.CONFIG_PATH):
        reason = f"containerd {version} reads mirrors only when it starts"
        return HostsDirectory(None, reason, supports(version, Feature.LOOPBACK_HTTP))
    return hosts_directory_of(config_view(facts, version, ""), facts)


def hosts_directory_of(view: ConfigView, facts: NodeFacts) -> HostsDirectory:
    """Return the folder that a config names, by the rules of its daemon."""
    direct = supports(view.version, Feature.LOOPBACK_HTTP)
    setting = word(view.merged(), "config_path")
    if not setting:
        return HostsDirectory(None, "config_path is not set", direct)
    if ":" in setting and not reads_lists(view):
        return HostsDirectory(None, f"config_path {setting!r} is not read by this release", direct)
    first = next(
        (folder for folder in hosts_directories(setting) if folder in facts.paths.directories), None
    )
    if first is None:
        return HostsDirectory(None, f"config_path {setting} does not exist", direct)
    return HostsDirectory(first)


def folder_before(facts: NodeFacts) -> str:
    """Return the folder in force before a change, whose liveness a revert checks; empty if unknown.

    A distribution writes its config at a time of its own, so its files do not show what is in
    force.
    """
    if facts.daemon.owner is not None or facts.daemon.version is None:
        return ""
    try:
        return active_hosts_directory(facts).folder or ""
    except NodeError:
        return ""

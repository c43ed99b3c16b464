"""The effect of registry folders that containerd reads only once config_path is set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from fleet.core.containerd.features import Feature, supports
from fleet.core.containerd.imports import ConfigView
from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.lint.config import reads_lists
from fleet.core.lint.pull_failures import hosts_data, pull_failures
from fleet.core.model.facts import CERTS_D, NodeFacts
from fleet.core.model.finding import Finding, FindingEffect
from fleet.core.model.mirror import Foreign
from fleet.core.model.paths import clean_path, hosts_directories, real_path
from fleet.core.model.version import ContainerdVersion
from fleet.core.text.documents import word
from fleet.core.text.go_url import go_host

FAILS = "fails-every-pull"


CUTS_OFF = "cuts-off-upstream"


_MOST_NAMES = 20


_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"


_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::[0-9]+|_[0-9]+_)?")
"""The text before the first slash of an image, with both forms of a folder's port."""


def live_directories(view: ConfigView) -> tuple[str, ...]:
    """Return the hosts directories that containerd reads with this config."""
    current = word(view.merged(), "config_path")
    if not supports(view.version, Feature.CONFIG_PATH) or (
        ":" in current and not reads_lists(view)
    ):
        return ()
    return hosts_directories(current)


def chosen_directory(current: str) -> str:
    """Return the directory that fleet writes to: the first of config_path, else the default."""
    first = next((part for part in current.split(":") if part.startswith("/")), CERTS_D)
    return clean_path(first) if first.strip("/.") else CERTS_D


def sleeping_directory(view: ConfigView, facts: NodeFacts) -> str:
    """Return the directory that is read only after a rollout; empty if it is read already."""
    chosen = chosen_directory(word(view.merged(), "config_path"))
    live = {real_path(facts.paths.entries, directory) for directory in live_directories(view)}
    return "" if real_path(facts.paths.entries, chosen) in live else chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderCheck:
    """A check of the registry folders of a node.

    `bases` are the hosts directories to check. `waking` is the one that containerd does not read
    yet, empty if there is none. `managed` are the files that fleet writes.
    """

    facts: NodeFacts
    version: ContainerdVersion
    bases: tuple[str, ...]
    waking: str = ""
    managed: frozenset[str] = frozenset()
    foreign: Foreign = Foreign.ADOPT
    _filled: frozenset[str] = field(init=False)
    """The folders that hold something beside a hosts.toml."""

    def __post_init__(self) -> None:
        """Collect the folders that hold other files, in one walk over all paths."""
        paths = (*self.facts.paths.entries, *self.facts.files)
        filled = frozenset(_parent(path) for path in paths if not path.endswith("/hosts.toml"))
        object.__setattr__(self, "_filled", filled)

    def findings(self) -> Iterator[Finding]:
        """Yield findings for folders that fail every pull, and for those that come into use."""
        folders = self._folders()
        for folder in folders:
            for path, reason in pull_failures(self.facts, self.version, folder):
                message = f"{reason}: every pull of {_registry(folder)} fails"
                yield Finding(FAILS, self._effect(folder), path, message)
        woken = [
            folder for folder in folders if self._in_waking(folder) and not self._is_removed(folder)
        ]
        for folder in woken:
            if folder.endswith("/_default") and (server := self._only_server(folder)):
                message = (
                    f"names the server {server}: every registry without a folder would be served"
                    " from there, and no longer by itself"
                )
                yield Finding(CUTS_OFF, self._effect(folder), f"{folder}/hosts.toml", message)
        if woken:
            names = ", ".join(_registry(folder) for folder in woken[:_MOST_NAMES])
            more = f" and {len(woken) - _MOST_NAMES} more" if len(woken) > _MOST_NAMES else ""
            message = f"is not read by containerd now, but will be after the change: {names}{more}"
            yield Finding("wakes", FindingEffect.NOTES, self.waking, message)

    def _folders(self) -> list[str]:
        """Return the registry folders that fleet does not write itself."""
        inside = {path for path in self.facts.paths.directories if _parent(path) in self.bases}
        wildcards = {f"{base}/_default" for base in self.bases}
        candidates = inside | (wildcards & self.facts.paths.entries.keys())
        return sorted(
            path
            for path in candidates
            if f"{path}/hosts.toml" not in self.managed and _is_looked_up(path)
        )

    def _in_waking(self, folder: str) -> bool:
        return _parent(folder) == self.waking

    def _is_removed(self, folder: str) -> bool:
        """Return whether --overwrite removes a folder: it must hold nothing but a hosts.toml."""
        removed = self.foreign is Foreign.OVERWRITE and f"{folder}/hosts.toml" in self.facts.files
        return removed and folder not in self._filled

    def _effect(self, folder: str) -> FindingEffect:
        if not self._in_waking(folder) or self.foreign is Foreign.KEEP:
            return FindingEffect.NOTES
        return FindingEffect.HEALS if self._is_removed(folder) else FindingEffect.REFUSES

    def _only_server(self, folder: str) -> str:
        """Return the server that a wildcard's hosts.toml names in place of each registry's own."""
        path = f"{folder}/hosts.toml"
        server = word(hosts_data(self.facts, self.version, path) or {}, "server")
        strict = supports(self.version, Feature.STRICT_URLS)
        return server if server and go_host(server, strict=strict) else ""


def folder_check(
    view: ConfigView, facts: NodeFacts, managed: frozenset[str], foreign: Foreign
) -> FolderCheck:
    """Return the check for a node whose config fleet may edit, from its present config."""
    waking = sleeping_directory(view, facts)
    return FolderCheck(
        facts=facts,
        version=view.version,
        bases=(*live_directories(view), *((waking,) if waking else ())),
        waking=waking,
        managed=managed,
        foreign=foreign,
    )


def _is_looked_up(folder: str) -> bool:
    """Return whether an image can name the registry of a folder, unlike `_default.bak`."""
    name = folder.rpartition("/")[2]
    return name == "_default" or _REGISTRY.fullmatch(name) is not None


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _registry(folder: str) -> str:
    name = folder.rpartition("/")[2]
    return "every registry without a folder (_default)" if name == "_default" else name


def refuse_broken(findings: Iterable[Finding]) -> None:
    """Raise a NodeError if folders that config_path brings into use break other registries."""
    grave = [
        str(finding)
        for finding in findings
        if finding.code in {FAILS, CUTS_OFF} and finding.effect is FindingEffect.REFUSES
    ]
    if grave:
        message = (
            "config_path would activate folders that containerd does not read now:"
            f" {'; '.join(grave)}"
        )
        remedy = "fix or remove them, or use --overwrite (removes a hosts.toml) or --keep"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)

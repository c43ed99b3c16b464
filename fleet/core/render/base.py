"""The input and output of every render strategy."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from fleet.core.failure import FIX_BY_HAND, FailureKind, NodeError, Step
from fleet.core.model.change import ManagedFile, Tree
from fleet.core.model.facts import NodeFacts
from fleet.core.model.finding import Finding, FindingEffect
from fleet.core.model.inventory import Inventory
from fleet.core.model.mirror import Foreign, MirrorConfig, Registry
from fleet.core.model.node import Node
from fleet.core.model.version import ContainerdVersion
from fleet.core.render.generated_hosts import GeneratedFiles
from fleet.core.selection.patterns import override_matches
from fleet.core.text.documents import DocumentError, parse_toml


@dataclass(frozen=True, slots=True)
class DesiredFiles:
    """The files that a node should have; `legacy` names fleet's own settings inside config.toml.

    `unmanaged` are files that are written once and then belong to the node: legacy settings of
    registries outside mirrors.yaml, as hosts.toml files. `config` is the path that the daemon's
    config will have, `intended_registry` the registry table that the daemon should read there.
    `generated` are files that the distribution should write itself at its next start.
    """

    files: Tree
    hosts_directory: str | None
    legacy: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unmanaged: frozenset[str] = frozenset()
    config: str | None = None
    findings: tuple[Finding, ...] = ()
    intended_registry: Mapping[str, Any] | None = field(default=None, repr=False)
    generated: GeneratedFiles | None = None


@dataclass(frozen=True, slots=True)
class DesiredConfig:
    """The config that the user asks for: a node's registries, and the policy for foreign files."""

    registries: tuple[Registry, ...]
    full_default: bool = False
    foreign: Foreign = Foreign.ADOPT


def desired_config_by_node(
    inventory: Inventory, config: MirrorConfig, foreign: Foreign, *, full_default: bool = False
) -> Callable[[Node], DesiredConfig]:
    """Return a function from a node to its desired config; nodes with equal config share it."""
    texts = tuple(override.match for override in config.overrides)
    matches = override_matches(inventory, texts)
    shared: dict[frozenset[str], DesiredConfig] = {}

    def desired_config(node: Node) -> DesiredConfig:
        key = matches.get(node.name, frozenset())
        if key not in shared:
            shared[key] = DesiredConfig(config.for_groups(key), full_default, foreign)
        return shared[key]

    return desired_config


class Strategy(Protocol):
    """One way to configure mirrors on a node."""

    name: str

    def supports(self, facts: NodeFacts) -> bool:
        """Return whether this strategy fits the node."""
        ...

    def render(self, facts: NodeFacts, desired: DesiredConfig) -> DesiredFiles:
        """Return the files; raise a NodeError if the node cannot have them."""
        ...


@dataclass(slots=True)
class Refusals:
    """Findings, of which those that refuse become one failure that names them all."""

    findings: list[Finding] = field(default_factory=list)

    def check(self) -> None:
        """Raise a NodeError if a finding refuses."""
        grave = [
            str(finding) for finding in self.findings if finding.effect is FindingEffect.REFUSES
        ]
        if grave:
            message, remedy = "; ".join(grave), FIX_BY_HAND
            raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)


def known_version(facts: NodeFacts) -> ContainerdVersion:
    """Return the node's containerd version; raise a NodeError if there is none."""
    if facts.daemon.version is None:
        message = "containerd was not found on this node"
        remedy = "install it, or set containerd_service to its unit"
        raise NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)
    return facts.daemon.version


def parsed_dump(facts: NodeFacts) -> Mapping[str, Any]:
    """Return the daemon's merged view of config.toml; raise a NodeError if it has none."""
    if not facts.config.dump.ok:
        complaint = facts.config.dump.text.strip().splitlines()[-1:] or ["no answer"]
        message = f"containerd refuses {facts.config.path}: {complaint[0]}"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, FIX_BY_HAND)
    try:
        return _parse_dump(facts.config.dump.text)
    except DocumentError as error:
        message = f"the output of `{facts.daemon.binary} config dump` is not TOML: {error}"
        remedy = "run that command on the node and look at its output"
        raise NodeError(FailureKind.PROTOCOL, Step.PLAN, message, remedy) from error


@functools.lru_cache(maxsize=64)
def _parse_dump(dump: str) -> Mapping[str, Any]:
    """Parse a dump once for all nodes with it, which saves 2 ms each; the result never changes."""
    lines = (line for line in dump.split("\n") if not line.startswith("time="))
    return parse_toml("\n".join(lines))


def file_like(facts: NodeFacts, path: str, content: bytes, *, secret: bool) -> ManagedFile:
    """Return a file with its present mode and owner; a file with a secret has at most 0600."""
    before = facts.files.get(path)
    if before is None:
        return ManagedFile(content, 0o600 if secret else 0o644, secret=secret)
    mode = before.mode & 0o600 if secret else before.mode
    return ManagedFile(content, mode, before.uid, before.gid, secret=secret)


def auth_settings(registries: tuple[Registry, ...]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return the credentials for config.toml: keys and values by host."""
    hosts = [host for registry in registries for host in registry.hosts if host.auth is not None]
    if any(host.authority == "_default" for host in hosts):
        message = 'containerd has no login for all registries (configs "*")'
        remedy = "name each registry under configs in mirrors.yaml instead"
        raise NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)
    return {host.authority: host.auth.settings() for host in hosts if host.auth is not None}

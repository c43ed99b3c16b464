"""What every strategy is given and gives back, and the checks that all of them share."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from fleet.core.config_toml import CRI_1, IMAGES, dig, parse_config
from fleet.core.facts import NodeFacts
from fleet.core.model import ManagedFile, Registry, Tree
from fleet.core.outcome import FailureKind, NodeError

MINIMAL = "version = 2\n"
"""Where a node has no config.toml: every release from 1.4 to 2.3 reads version 2."""


@dataclass(frozen=True, slots=True)
class DesiredState:
    """The files that a node should have; `legacy` names what fleet owns inside config.toml."""

    files: Tree
    hosts_directory: str | None
    legacy: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asked for: the registries of this node, and how to start a config.toml."""

    registries: tuple[Registry, ...]
    full_default: bool = False


class Strategy(Protocol):
    """One way to write mirrors."""

    name: str

    def supports(self, facts: NodeFacts) -> bool:
        """Say whether this way is the right one for the node's version."""
        ...

    def render(self, facts: NodeFacts, wishes: Wishes) -> DesiredState:
        """Return the files; raise a NodeError where the node cannot have them."""
        ...


def starting_config(facts: NodeFacts, wishes: Wishes) -> tuple[str, dict[str, Any]]:
    """Return config.toml to start from, as text and parsed: the node's own, or a new one."""
    text = facts.config_text
    if text is None and wishes.full_default:
        text = facts.default
    if not text:
        text = MINIMAL
    return text, parse_config(text, facts.config)


def config_file(facts: NodeFacts, text: str, *, secret: bool) -> ManagedFile:
    """Return config.toml with the mode and owner it had; 0600 where it carries a credential."""
    before = facts.files.get(facts.config)
    content = text.encode("utf-8", "surrogateescape")
    if before is None:
        return ManagedFile(content, 0o600 if secret else 0o644, secret=secret)
    mode = before.mode & 0o600 if secret else before.mode
    return ManagedFile(content, mode, before.uid, before.gid, secret=secret)


def parsed_dump(facts: NodeFacts) -> dict[str, Any]:
    """Return the daemon's own merged view of config.toml; raise a NodeError where it has none."""
    if not facts.dump.ok:
        complaint = facts.dump.text.strip().splitlines()[-1:] or ["no answer"]
        message = f"containerd refuses {facts.config}: {complaint[0]}; mend it by hand first"
        raise NodeError(FailureKind.CONFLICT, "plan", message)
    lines = (line for line in facts.dump.text.splitlines() if not line.startswith("time="))
    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:
        message = f"`containerd config dump` is no TOML: {error}"
        raise NodeError(FailureKind.PROTOCOL, "plan", message) from error


def refuse_masking_imports(facts: NodeFacts, *, merges: bool) -> None:
    """Refuse where an imported file holds the CRI table: before 2.0 it replaces ours whole."""
    for path in facts.imports:
        kept = facts.files.get(path)
        if kept is None:
            continue
        text = kept.content.decode("utf-8", "surrogateescape")
        plugins = parse_config(text, path).get("plugins", {})
        held = [name for name in (CRI_1, IMAGES, "cri") if name in plugins]
        if held and not (merges and not _has_registry(plugins, held)):
            message = (
                f"{path} is imported and holds plugins.{held[0]}, which hides what fleet would"
                f" write to {facts.config}; move its registry settings there first"
            )
            raise NodeError(FailureKind.CONFLICT, "plan", message)


def _has_registry(plugins: Mapping[str, Any], names: list[str]) -> bool:
    return any(dig(plugins, (name, "registry")) for name in names)


def auth_settings(registries: tuple[Registry, ...]) -> dict[str, tuple[str, str]]:
    """Return the credentials of config.toml: user name and password by mirror host."""
    mirrors = (mirror for registry in registries for mirror in registry.mirrors)
    return {
        mirror.authority: (mirror.auth.username, str(mirror.auth.password))
        for mirror in mirrors
        if mirror.auth is not None
    }

"""The values that travel: nodes, registries, mirrors, files and changes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Secret(str):
    """A string that no repr, log line or traceback shows."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Hide the value."""
        return "Secret('***')"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in a file a value came from; `place` is a group, a node or a key path."""

    file: str
    line: int
    column: int
    place: str

    def __str__(self) -> str:
        """Show it as editors do, with the place in words."""
        return f"{self.file}:{self.line}:{self.column} ({self.place})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine, as the inventory resolved it; None means that the inventory is silent."""

    name: str
    host: str
    port: int | None = None
    user: str | None = None
    identity_file: str | None = None
    become: bool | None = None
    become_user: str | None = None
    jump: str | None = None
    site: str | None = None
    max_unavailable: str | None = None
    order: int = 0
    distro: str | None = None
    containerd_config: str | None = None
    containerd_socket: str | None = None
    containerd_service: str | None = None
    groups: tuple[str, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Sourced:
    """A value that the inventory gives, and where."""

    value: str | int | bool
    origin: Origin


@dataclass(frozen=True, slots=True)
class Group:
    """A named set of nodes; `nodes` holds the names of all members, nested ones included."""

    name: str
    nodes: tuple[str, ...]
    children: tuple[str, ...] = ()
    max_unavailable: str | None = None
    values: Mapping[str, Sourced] = field(default_factory=dict, compare=False, repr=False)
    """What the group says for its nodes; a node and a nearer group beat it."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """All nodes in the order of the file, which is rollout order, and their groups."""

    nodes: tuple[Node, ...]
    groups: Mapping[str, Group]

    def beaten(self, node: Node) -> dict[str, list[Sourced]]:
        """Return, by key, what groups say for a node and something nearer said otherwise."""
        found: dict[str, list[Sourced]] = {}
        for name in node.groups:
            for key, each in self.groups[name].values.items():
                if each.origin != node.origins.get(key):
                    found.setdefault(key, []).append(each)
        return found


@dataclass(frozen=True, slots=True)
class ClientPair:
    """A client certificate and its key, as bytes; `key` is None when the first holds both."""

    certificate: bytes
    key: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """A place that serves a registry, in the words of hosts.toml.

    `ca` and `client` are files of the workstation, `ca_paths` and `client_paths` name files that
    are on the node already.
    """

    url: str
    capabilities: tuple[str, ...] = ("pull", "resolve")
    override_path: bool = False
    skip_verify: bool = False
    ca: tuple[bytes, ...] = ()
    client: tuple[ClientPair, ...] = ()
    ca_paths: tuple[str, ...] = ()
    client_paths: tuple[tuple[str, str], ...] = ()
    header: tuple[tuple[str, tuple[Secret, ...]], ...] = ()
    dial_timeout: str | None = None
    auth: Auth | None = None

    @property
    def scheme(self) -> str:
        """Name the scheme: http or https."""
        return self.url.partition("://")[0]

    @property
    def authority(self) -> str:
        """Name the host and port of the URL, as containerd keys credentials by it."""
        return self.url.partition("://")[2].partition("/")[0]

    @property
    def path(self) -> str:
        """Return the path of the URL, without a slash at its end."""
        _, slash, rest = self.url.partition("://")[2].partition("/")
        return (slash + rest).rstrip("/")


@dataclass(frozen=True, slots=True)
class Auth:
    """Credentials for one host: a user and a password, or an identity token alone."""

    username: str
    password: Secret
    identity_token: Secret | None = None

    def settings(self) -> tuple[tuple[str, str], ...]:
        """Return them as keys and values of config.toml."""
        if self.identity_token is not None:
            return (("identitytoken", str(self.identity_token)),)
        return (("username", self.username), ("password", str(self.password)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """A registry namespace such as docker.io, and the mirrors that serve it in order.

    `name` is `_default` for the wildcard. `server` is None for the wildcard alone; `upstream` is
    what is said of the server's own host (TLS, credentials). `rewrite` is k3s's alone.
    """

    name: str
    server: str | None
    mirrors: tuple[Mirror, ...]
    fallback: bool = True
    verify: str | None = None
    upstream: Mirror | None = None
    rewrite: tuple[tuple[str, str], ...] = ()

    @property
    def hosts(self) -> tuple[Mirror, ...]:
        """Return all hosts that are spoken of: the mirrors, and upstream if anything is said."""
        return (*self.mirrors, self.upstream) if self.upstream else self.mirrors


class Foreign(StrEnum):
    """What happens to files in fleet's way that fleet did not write, or that others edited."""

    ADOPT = "adopt"
    KEEP = "keep"
    OVERWRITE = "overwrite"


@dataclass(frozen=True, slots=True)
class Override:
    """A part of mirrors.yaml for the nodes that `match` selects; the registries replace others."""

    match: str
    registries: Mapping[str, Registry]


@dataclass(frozen=True, slots=True)
class MirrorConfig:
    """All registries of mirrors.yaml in the order of the file; the last matching override wins."""

    registries: tuple[Registry, ...]
    overrides: tuple[Override, ...] = ()

    def for_groups(self, matching: frozenset[str]) -> tuple[Registry, ...]:
        """Return the registries of a node that the `match` texts in `matching` select."""
        merged = {registry.name: registry for registry in self.registries}
        for override in self.overrides:
            if override.match in matching:
                merged.update(override.registries)
        return tuple(merged.values())


@dataclass(frozen=True, slots=True)
class ManagedFile:
    """A file's bytes with its mode and owner; `secret` when it carries a credential.

    `link` is the target if a symbolic link is at the path; the rest is of the file behind it.
    """

    content: bytes
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    secret: bool = False
    link: str = ""

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content in hex; for a link `@` and its target."""
        return f"@{self.link}" if self.link else hashlib.sha256(self.content).hexdigest()


Tree = Mapping[str, ManagedFile]
"""Absolute node path -> file; a missing key is absence."""


class Action(StrEnum):
    """What happens to one path."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Disruption(StrEnum):
    """What a change costs the node."""

    NONE = "none"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Change:
    """One path going from `before` to `after`; None stands for absence."""

    path: str
    before: ManagedFile | None
    after: ManagedFile | None

    @property
    def action(self) -> Action:
        """Read off the two sides, so it cannot disagree with them."""
        if self.before is None:
            return Action.CREATE
        return Action.DELETE if self.after is None else Action.UPDATE

    def inverse(self) -> Change:
        """Return the change that undoes this one."""
        return Change(self.path, self.after, self.before)

"""Registries, their mirrors, and the settings of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fleet.core.model.secret import Secret


@dataclass(frozen=True, slots=True)
class ClientPair:
    """A client certificate and its key, as bytes; `key` is None if `certificate` holds both."""

    certificate: bytes
    key: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """A server of a registry's images, with the settings of hosts.toml.

    `ca` and `client` are the contents of files of the workstation. `ca_paths` and `client_paths`
    are paths of files that are on the node already.
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
        """Return the scheme: http or https."""
        return self.url.partition("://")[0]

    @property
    def authority(self) -> str:
        """Return the host and port of the URL, by which containerd looks up credentials."""
        return self.url.partition("://")[2].partition("/")[0]

    @property
    def path(self) -> str:
        """Return the path of the URL, without a slash at its end."""
        _, slash, rest = self.url.partition("://")[2].partition("/")
        return (slash + rest).rstrip("/")

    @property
    def has_tls(self) -> bool:
        """Return whether there is a TLS setting: an authority, a client certificate, or none."""
        files = (self.ca, self.ca_paths, self.client, self.client_paths)
        return self.skip_verify or any(files)


@dataclass(frozen=True, slots=True)
class Auth:
    """Credentials for one host: a user and a password, or an identity token alone."""

    username: str
    password: Secret
    identity_token: Secret | None = None

    def settings(self) -> tuple[tuple[str, str], ...]:
        """Return the credentials as keys and values of config.toml."""
        if self.identity_token is not None:
            return (("identitytoken", str(self.identity_token)),)
        return (("username", self.username), ("password", str(self.password)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """A registry namespace such as docker.io, and the mirrors that serve it in order.

    `name` is `_default` for the wildcard. `server` is None for the wildcard only. `upstream` holds
    settings of the server's own host (TLS, credentials). Only k3s has `rewrite`. A registry may
    have no mirrors. `listed` is False if only `configs` names it, and not `mirrors`.
    """

    name: str
    server: str | None
    mirrors: tuple[Mirror, ...]
    fallback: bool = True
    verify: str | None = None
    upstream: Mirror | None = None
    rewrite: tuple[tuple[str, str], ...] = ()
    listed: bool = True

    @property
    def hosts(self) -> tuple[Mirror, ...]:
        """Return all hosts with settings: the mirrors, and upstream if it has any."""
        return (*self.mirrors, self.upstream) if self.upstream else self.mirrors


class Foreign(StrEnum):
    """The treatment of files at fleet's paths that fleet did not write, or that others edited."""

    ADOPT = "adopt"
    KEEP = "keep"
    OVERWRITE = "overwrite"


@dataclass(frozen=True, slots=True)
class Override:
    """A part of mirrors.yaml for the nodes that `match` selects; its registries replace others."""

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

"""registry.mirrors inside config.toml: containerd before 1.5, which reads it at start alone."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.core.config_toml import Table, dotted, registry_table, set_key
from fleet.core.facts import NodeFacts
from fleet.core.model import ManagedFile, Mirror, Registry
from fleet.core.outcome import FailureKind, NodeError
from fleet.core.strategies.base import (
    DesiredState,
    Wishes,
    auth_settings,
    config_file,
    parsed_dump,
    refuse_masking_imports,
    starting_config,
)
from fleet.core.versions import capability

_FOLDER = "/etc/containerd/fleet"


class Legacy:
    """Write one endpoint list a registry into config.toml; every change needs a restart."""

    name = "legacy"

    def supports(self, facts: NodeFacts) -> bool:
        """Say whether this version knows nothing but legacy mirrors."""
        return facts.version is not None and not capability(facts.version).config_path

    def render(self, facts: NodeFacts, wishes: Wishes) -> DesiredState:
        """Return config.toml with its mirrors set, and the certificates that it names."""
        if facts.version is None:
            raise NodeError(FailureKind.UNSUPPORTED, "plan", "no containerd was found on this node")
        start, data = starting_config(facts, wishes)
        table = registry_table(data, facts.version, facts.config)
        parsed_dump(facts)
        refuse_masking_imports(facts, merges=False)
        text, owned = start, []
        for registry in wishes.registries:
            name = "*" if registry.name == "_default" else registry.name
            text = set_key(text, (*table, "mirrors", name), "endpoint", _endpoints(registry))
            owned.append(dotted(("mirrors", name)))
        files: dict[str, ManagedFile] = {}
        for place, key, value in _settings(wishes.registries):
            text = set_key(text, (*table, "configs", *place), key, value)
            owned.append(dotted(("configs", *place)))
        for path, content, private in _certificates(wishes.registries):
            files[path] = ManagedFile(content, 0o600 if private else 0o644, secret=private)
        if text != start:
            secret = bool(auth_settings(wishes.registries))
            files[facts.config] = config_file(facts, text, secret=secret)
        return DesiredState(files, None, tuple(dict.fromkeys(owned)))


def _endpoints(registry: Registry) -> list[str]:
    """Return the URLs in order; legacy takes a path as it stands and always ends at upstream."""
    if not registry.fallback:
        raise _refused(f"cannot keep {registry.name} from its upstream (fallback: never)")
    for mirror in registry.mirrors:
        if mirror.header:
            raise _refused(f"cannot send a header to {mirror.url} alone")
    urls = [mirror.url for mirror in registry.mirrors]
    if registry.server is not None and registry.server not in _implied(registry.name):
        urls.append(registry.server)
    return urls


def _implied(name: str) -> tuple[str, ...]:
    return (f"https://{name}", "https://registry-1.docker.io" if name == "docker.io" else "")


def _refused(why: str) -> NodeError:
    message = f"containerd before 1.5 {why}"
    return NodeError(FailureKind.UNSUPPORTED, "plan", message)


def _settings(registries: tuple[Registry, ...]) -> Iterator[tuple[Table, str, str | bool]]:
    """Yield table, key and value of what stands under registry.configs."""
    for host, (username, password) in auth_settings(registries).items():
        yield (host, "auth"), "username", username
        yield (host, "auth"), "password", password
    for mirror in _with_tls(registries):
        place = (mirror.authority, "tls")
        if mirror.skip_verify:
            yield place, "insecure_skip_verify", True
        for key, path, _, _ in _tls_files(mirror):
            yield place, key, path


def _with_tls(registries: tuple[Registry, ...]) -> Iterator[Mirror]:
    mirrors = (mirror for registry in registries for mirror in registry.mirrors)
    return (mirror for mirror in mirrors if mirror.skip_verify or mirror.ca or mirror.client)


def _tls_files(mirror: Mirror) -> Iterator[tuple[str, str, bytes, bool]]:
    """Yield config key, path, content and whether it is private; one of each is all there is."""
    stem = f"{_FOLDER}/{mirror.authority.replace(':', '_').strip('[]')}"
    if mirror.ca:
        yield "ca_file", f"{stem}.ca.pem", b"".join(mirror.ca), False
    for pair in mirror.client[:1]:
        yield "cert_file", f"{stem}.client.pem", pair.certificate, pair.key is None
        key = pair.certificate if pair.key is None else pair.key
        yield "key_file", f"{stem}.client.key.pem", key, True


def _certificates(registries: tuple[Registry, ...]) -> Iterator[tuple[str, bytes, bool]]:
    for mirror in _with_tls(registries):
        for _, path, content, private in _tls_files(mirror):
            yield path, content, private

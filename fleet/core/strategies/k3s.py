"""k3s and RKE2: registries.yaml, from which they write containerd's own files at every start.

File format, wildcard and fallback rules as in k3s's pkg/agent/containerd/config.go and the pages on
private registries of both projects. Nothing below /var/lib/rancher is ever written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fleet.core.facts import NodeFacts
from fleet.core.findings import Finding, Verdict
from fleet.core.hosts_toml import certificate_stem
from fleet.core.model import Foreign, ManagedFile, Mirror, Registry
from fleet.core.outcome import FailureKind, NodeError
from fleet.core.strategies.base import DesiredState, Wishes, kept_file
from fleet.core.strategies.hosts_folder import is_foreign
from fleet.core.toml_text import dotted, split
from fleet.core.yaml_text import parse_yaml, plain
from fleet.errors import ConfigErrors

HEADER = "# Managed by fleet: change mirrors.yaml instead.\n"
_PULLS = {"pull", "resolve"}
_OVERRIDE = "take that out for this node (overrides in mirrors.yaml)"


class K3s:
    """Write registries.yaml; what other hands put there stays."""

    name = "registries.yaml"

    def supports(self, facts: NodeFacts) -> bool:
        """Say whether k3s or RKE2 runs this node's containerd."""
        return facts.owner in {"k3s", "rke2"}

    def render(self, facts: NodeFacts, wishes: Wishes) -> DesiredState:
        """Return registries.yaml and the certificates that it names."""
        folder = f"/etc/rancher/{facts.owner}"
        path = f"{folder}/registries.yaml"
        if wishes.foreign is Foreign.KEEP and is_foreign(facts, path):
            note = f"keeps {path}, which is not as fleet wrote it"
            return DesiredState({}, None, facts.state.legacy, (note,))
        found = _existing(facts, path)
        start = {} if wishes.foreign is Foreign.OVERWRITE else found
        mirrors, configs = _less_owned(start, facts.state.legacy)
        for registry in wishes.registries:
            _refuse_unwritable(registry, facts)
            mirrors[_key(registry)] = _mirror(registry, facts)
        ours = _configs(wishes.registries, f"{folder}/fleet")
        for host, each in ours.items():
            configs[host] = each
        names = [("mirrors", _key(registry)) for registry in wishes.registries]
        owned = tuple(dotted(each) for each in (*names, *(("configs", host) for host in ours)))
        files = dict(_certificates(wishes.registries, f"{folder}/fleet"))
        text = HEADER + _yaml({"mirrors": mirrors, "configs": configs} if configs else {
            "mirrors": mirrors
        })  # fmt: skip
        same = {"mirrors": mirrors, "configs": configs} == {
            "mirrors": found.get("mirrors") or {},
            "configs": found.get("configs") or {},
        }
        secret = any("auth" in each for each in configs.values() if isinstance(each, Mapping))
        kept = facts.files.get(path)
        if kept is not None and same:
            files[path] = kept
        else:
            files[path] = kept_file(facts, path, text.encode(), secret=secret)
        return DesiredState(
            files,
            None,
            owned,
            tuple(_notes(facts, wishes)),
            findings=tuple(_findings(facts)),
        )


def _existing(facts: NodeFacts, path: str) -> dict[str, Any]:
    """Read registries.yaml as it is; k3s itself ignores one that it cannot read."""
    kept = facts.files.get(path)
    if kept is None:
        return {}
    try:
        found = plain(parse_yaml(kept.content.decode("utf-8", "replace"), path))
    except ConfigErrors as error:
        message = f"{error}; mend it by hand first"
        raise NodeError(FailureKind.CONFLICT, "plan", message) from error
    shaped = isinstance(found, dict) and all(
        isinstance(found.get(key) or {}, dict) for key in ("mirrors", "configs")
    )
    if not shaped or set(found) - {"mirrors", "configs", "auths"}:
        message = f"{path}: has keys or forms that registries.yaml does not have; mend it by hand"
        raise NodeError(FailureKind.CONFLICT, "plan", message)
    return dict(found)


def _less_owned(
    found: Mapping[str, Any], owned: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what is there, less what fleet put there."""
    gone = {split(name) for name in owned}
    parts = []
    for part in ("mirrors", "configs"):
        entries = found.get(part) or {}
        parts.append({key: value for key, value in entries.items() if (part, key) not in gone})
    return parts[0], parts[1]


def _key(registry: Registry) -> str:
    return "*" if registry.name == "_default" else registry.name


def _refuse_unwritable(registry: Registry, facts: NodeFacts) -> None:
    """Refuse what registries.yaml has no word for."""
    name = registry.name
    if not registry.fallback and not facts.no_upstream:
        raise _refused(
            facts,
            f"fallback: never for {name}",
            f"run {facts.owner} with --disable-default-registry-endpoint, for all registries",
        )
    for mirror in registry.mirrors:
        if mirror.header:
            raise _refused(facts, f"{mirror.url} has a header", _OVERRIDE)
        if set(mirror.capabilities) != _PULLS:
            what = f"{mirror.url} has capabilities other than pull and resolve"
            raise _refused(facts, what, _OVERRIDE)
        if mirror.override_path and not mirror.path:
            raise _refused(facts, f"{mirror.url} has override_path and no path", _OVERRIDE)


def _refused(facts: NodeFacts, why: str, remedy: str) -> NodeError:
    message = f"registries.yaml of {facts.owner} cannot say it: {why}; {remedy}"
    return NodeError(FailureKind.UNSUPPORTED, "plan", message)


def _mirror(registry: Registry, facts: NodeFacts) -> dict[str, Any]:
    """Return one registry: any path but /v2 counts as override_path by itself."""
    urls = [mirror.url for mirror in registry.mirrors]
    implied = {f"https://{registry.name}", "https://registry-1.docker.io"}
    told = registry.server is not None and registry.server not in implied
    if registry.server and registry.fallback and (facts.no_upstream or told):
        urls.append(registry.server)
    entry: dict[str, Any] = {"endpoint": list(dict.fromkeys(urls))}
    if registry.rewrite:
        entry["rewrite"] = dict(registry.rewrite)
    return entry


def _configs(registries: tuple[Registry, ...], folder: str) -> dict[str, Any]:
    """Return TLS settings and credentials by host."""
    found: dict[str, Any] = {}
    for host in (host for registry in registries for host in registry.hosts):
        entry = found.setdefault(host.authority, {})
        if host.auth is not None:
            settings = dict(host.auth.settings())
            token = settings.pop("identitytoken", None)
            entry["auth"] = {**settings, **({"identity_token": token} if token else {})}
        tls: dict[str, Any] = {key: path for key, path, _, _ in _tls_files(host, folder)}
        if host.skip_verify:
            tls["insecure_skip_verify"] = True
        if tls:
            entry["tls"] = tls
    return {host: entry for host, entry in found.items() if entry}


def _tls_files(mirror: Mirror, folder: str) -> Iterator[tuple[str, str, bytes, bool]]:
    stem = f"{folder}/{certificate_stem(mirror)}"
    if mirror.ca:
        yield "ca_file", f"{stem}.ca.pem", b"".join(mirror.ca), False
    for pair in mirror.client[:1]:
        yield "cert_file", f"{stem}.client.pem", pair.certificate, pair.key is None
        key = pair.certificate if pair.key is None else pair.key
        yield "key_file", f"{stem}.client.key.pem", key, True


def _certificates(
    registries: tuple[Registry, ...], folder: str
) -> Iterator[tuple[str, ManagedFile]]:
    for host in (host for registry in registries for host in registry.hosts):
        for _, path, content, private in _tls_files(host, folder):
            mode = 0o600 if private else 0o644
            yield path, ManagedFile(content, mode, secret=private)


def _notes(facts: NodeFacts, wishes: Wishes) -> Iterator[str]:
    yield f"a restart of {facts.unit_name} writes containerd's own files from registries.yaml"
    if any(each.name == "_default" for each in wishes.registries) and not facts.no_upstream:
        yield (
            'the wildcard "*" falls back to each registry itself; releases of early 2025 with'
            " containerd 2.0 lost that fallback (k3s issue 11857)"
        )
    if any(mirror.dial_timeout for each in wishes.registries for mirror in each.mirrors):
        yield "registries.yaml has no dial_timeout: it is left out here"


def _findings(facts: NodeFacts) -> Iterator[Finding]:
    base = f"/var/lib/rancher/{facts.owner}/agent/etc/containerd"
    for name in ("config.toml.tmpl", "config-v3.toml.tmpl"):
        if f"{base}/{name}" in facts.files:
            message = "a template of yours makes config.toml: it must keep the registry part"
            yield Finding("user-template", Verdict.NOTES, f"{base}/{name}", message)


def _yaml(data: Mapping[str, Any], indent: str = "") -> str:
    """Write nested mappings and lists as YAML; every word in quotes, as JSON has them."""
    lines = []
    for key, value in data.items():
        name = json.dumps(str(key)) if indent else str(key)
        if isinstance(value, Mapping):
            body = _yaml(value, indent + "  ")
            lines.append(f"{indent}{name}:\n{body}" if value else f"{indent}{name}: {{}}\n")
        elif isinstance(value, list):
            items = "".join(f"{indent}  - {json.dumps(each)}\n" for each in value)
            lines.append(f"{indent}{name}:\n{items}" if value else f"{indent}{name}: []\n")
        else:
            lines.append(f"{indent}{name}: {json.dumps(value)}\n")
    return "".join(lines)

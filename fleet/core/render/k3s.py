"""The strategy for k3s and RKE2: registries.yaml, their source of containerd's config.

They write containerd's own files from it at every start. The file format, wildcard and fallback
rules are those of k3s's pkg/agent/containerd/config.go and of both projects' pages on private
registries. Nothing below /var/lib/rancher is ever written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fleet.core.containerd.hosts_toml import certificate_stem
from fleet.core.containerd.managed_header import HEADER
from fleet.core.containerd.registry_url import folder_name
from fleet.core.failure import FIX_BY_HAND, FailureKind, NodeError, Step
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.finding import Finding, FindingEffect
from fleet.core.model.mirror import Foreign, Mirror, Registry
from fleet.core.render.base import DesiredConfig, DesiredFiles, file_like
from fleet.core.render.hosts_folder import is_foreign
from fleet.core.render.k3s_paths import (
    generated_files,
    refuse_not_generated,
    registries_path,
    templates,
)
from fleet.core.render.registries_limits import (
    broken_rewrites,
    refuse_fallback,
    refuse_unwritable,
)
from fleet.core.render.registries_yaml import registries_problems
from fleet.core.render.tls_files import tls_contents, tls_paths
from fleet.core.text.toml_scan import Path, dotted, split
from fleet.core.text.yaml import parse_yaml, plain
from fleet.core.text.yaml_edit import edit_yaml
from fleet.core.text.yaml_values import YamlEditError
from fleet.errors import ConfigErrors, Problem

_PARTS = ("mirrors", "configs", "auths")


_MOST = 3


_AGENT = "rancher-system-agent.service"


class K3s:
    """A strategy that writes registries.yaml; entries that fleet did not write stay."""

    name = "registries.yaml"

    def supports(self, facts: NodeFacts) -> bool:
        """Return whether k3s or RKE2 runs this node's containerd."""
        return facts.daemon.owner in {"k3s", "rke2"}

    def render(self, facts: NodeFacts, desired: DesiredConfig) -> DesiredFiles:
        """Return registries.yaml and the certificates that it names."""
        folder = f"/etc/rancher/{facts.daemon.owner}"
        path = registries_path(facts)
        if desired.foreign is Foreign.KEEP and is_foreign(facts, path):
            note = f"keeps {path}, which differs from what fleet wrote"
            return DesiredFiles({}, None, facts.state.legacy, (note,))
        refuse_unwritable(desired.registries, facts)
        entries = _entries(desired.registries, facts, f"{folder}/fleet")
        before = "" if desired.foreign is Foreign.OVERWRITE else _read_existing(facts, path)
        text = _edit(before, entries, _owned_entries(facts.state.legacy), path)
        data = _read(text, path) or {}
        refuse_fallback(desired.registries, data, facts)
        files = dict(_certificates(desired.registries, f"{folder}/fleet"))
        file = facts.files.get(path)
        if file is not None and file.content == text.encode():
            files[path] = file
        else:
            files[path] = file_like(facts, path, text.encode(), secret=_has_login(data))
        generated = generated_files(facts, desired.registries, data, entries)
        refuse_not_generated(facts, files, generated, path)
        return DesiredFiles(
            files,
            None,
            tuple(map(dotted, entries)),
            tuple(_notes(facts, desired)),
            findings=(*_findings(facts), *_unread_keys(before, path), *_broken(data, path)),
            generated=generated,
        )


def _edit(before: str, entries: Mapping[Path, Any], gone: frozenset[Path], path: str) -> str:
    """Return the text of registries.yaml with fleet's entries; raise a NodeError if impossible."""
    try:
        text = edit_yaml(before or HEADER, entries, gone)
    except YamlEditError as error:
        remedy = "fix it by hand, or replace it with --overwrite"
        message = f"{path} {error}"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy) from error
    _refuse_misfits(before, text, path)
    return text


def _read_existing(facts: NodeFacts, path: str) -> str:
    """Return the text of registries.yaml; raise a NodeError if k3s would not start with it."""
    file = facts.files.get(path)
    if file is None:
        return ""
    try:
        text = file.content.decode()
        data = _read(text, path)
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 (byte {error.start})"
        remedy = "save the file as UTF-8"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy) from error
    except ConfigErrors as error:
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, str(error), FIX_BY_HAND) from error
    shaped = data is None or isinstance(data, dict)
    if not shaped or any(not isinstance(data.get(key) or {}, dict) for key in _PARTS if data):
        message = f"{path} does not have the structure of a registries.yaml"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, FIX_BY_HAND)
    return text


def _refuse_misfits(before: str, text: str, path: str) -> None:
    """Raise a NodeError if a wrong type is left in the new text: k3s would not start."""
    left = {name for _, name, _ in registries_problems(text)}
    problems = [problem for problem in registries_problems(before) if problem[1] in left]
    if problems:
        shown = [
            f"{path}:{line}: {name} must be {wanted}" for line, name, wanted in problems[:_MOST]
        ]
        more = f" and {len(problems) - _MOST} more" if len(problems) > _MOST else ""
        message = f"{', '.join(shown)}{more}: k3s and RKE2 do not start with this"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, FIX_BY_HAND)


def _read(text: str, path: str) -> Any:
    """Return the data of registries.yaml; accept tags, since k3s reads them."""
    problems: list[Problem] = []
    data = plain(parse_yaml(text, path, problems))
    grave = [problem for problem in problems if not problem.message.startswith("the tag ")]
    if grave:
        raise ConfigErrors(grave)
    return data


def _has_login(data: Mapping[str, Any]) -> bool:
    """Return whether the file holds credentials, written by fleet or not."""
    configs = data.get("configs") or {}
    return any("auth" in config for config in configs.values() if isinstance(config, Mapping))


def _owned_entries(names: tuple[str, ...]) -> frozenset[Path]:
    """Return the entries that fleet wrote; earlier releases owned a host's whole config."""
    paths = [split(name) for name in names]
    hosts = [path for path in paths if path[0] == "configs" and len(path) == 2]
    parts = [(*host, part) for host in hosts for part in ("auth", "tls")]
    return frozenset(path for path in (*paths, *parts) if path not in hosts)


def _entries(
    registries: tuple[Registry, ...], facts: NodeFacts, folder: str
) -> dict[Path, dict[str, Any]]:
    """Return the entries that fleet writes: whole mirrors, and a host's login and TLS."""
    entries: dict[Path, dict[str, Any]] = {}
    for registry in registries:
        if registry.listed:
            entries["mirrors", _key(registry)] = _mirror(registry, facts)
    for host, config in _configs(registries, folder).items():
        entries.update({("configs", host, part): value for part, value in config.items()})
    return entries


def _key(registry: Registry) -> str:
    return "*" if registry.name == "_default" else registry.name


def _mirror(registry: Registry, facts: NodeFacts) -> dict[str, Any]:
    """Return one registry's entry; k3s treats any path but /v2 as override_path."""
    urls = [mirror.url for mirror in registry.mirrors]
    implied = {f"https://{registry.name}", "https://registry-1.docker.io"}
    named = registry.server is not None and registry.server not in implied
    if registry.server and registry.fallback and (facts.daemon.rancher.no_upstream or named):
        urls.append(registry.server)
    entry: dict[str, Any] = {"endpoint": list(dict.fromkeys(urls))} if urls else {}
    if registry.rewrite:
        entry["rewrite"] = dict(registry.rewrite)
    return entry


def _configs(registries: tuple[Registry, ...], folder: str) -> dict[str, Any]:
    """Return TLS settings and credentials by host."""
    configs: dict[str, Any] = {}
    for host in (host for registry in registries for host in registry.hosts):
        entry = configs.setdefault(_config_key(host), {})
        if host.auth is not None:
            settings = dict(host.auth.settings())
            token = settings.pop("identitytoken", None)
            entry["auth"] = {**settings, **({"identity_token": token} if token else {})}
        tls: dict[str, Any] = dict(tls_paths(host, f"{folder}/{certificate_stem(host)}"))
        if host.skip_verify:
            tls["insecure_skip_verify"] = True
        if tls:
            entry["tls"] = tls
    return {host: entry for host, entry in configs.items() if entry}


def _config_key(host: Mirror) -> str:
    """Return the name of a host's settings; only docker.io is looked up for every name of it."""
    name = folder_name(host.authority)
    return "*" if name == "_default" else name


def _certificates(
    registries: tuple[Registry, ...], folder: str
) -> Iterator[tuple[str, ManagedFile]]:
    for host in (host for registry in registries for host in registry.hosts):
        stem = f"{folder}/{certificate_stem(host)}"
        for path, content, private in tls_contents(host, stem):
            mode = 0o600 if private else 0o644
            yield path, ManagedFile(content, mode, secret=private)


def _notes(facts: NodeFacts, desired: DesiredConfig) -> Iterator[str]:
    unit = facts.daemon.unit_name
    yield f"a restart of {unit} generates containerd's files from registries.yaml"
    if (
        any(registry.name == "_default" for registry in desired.registries)
        and not facts.daemon.rancher.no_upstream
    ):
        yield (
            'the wildcard "*" falls back to each registry itself; releases of early 2025 with'
            " containerd 2.0 lost that fallback (k3s issue 11857)"
        )
    if any(mirror.dial_timeout for registry in desired.registries for mirror in registry.mirrors):
        yield "registries.yaml has no dial_timeout, so this node ignores it"


def _unread_keys(text: str, path: str) -> Iterator[Finding]:
    """Yield a finding for unknown top-level keys, which may hold anchors or be typos."""
    others = sorted(set(_read(text, path) or {}) - set(_PARTS)) if text else []
    if others:
        message = f"k3s ignores {', '.join(others)} (it reads {', '.join(_PARTS)})"
        yield Finding("unread-keys", FindingEffect.NOTES, path, message)


def _findings(facts: NodeFacts) -> Iterator[Finding]:
    for path in templates(facts):
        message = "config.toml comes from your template, which must keep its registry part"
        yield Finding("user-template", FindingEffect.NOTES, path, message)
    for mark in facts.machine.marks:
        if mark.endswith(_AGENT):
            message = "Rancher provisioned this node, and will write its own registries.yaml again."
            message += " Set the registries of this cluster in Rancher"
            yield Finding("rancher-managed", FindingEffect.NOTES, mark, message)


def _broken(data: Mapping[str, Any], path: str) -> Iterator[Finding]:
    """Yield a finding for each registry whose hosts.toml k3s breaks by a rewrite."""
    for name in broken_rewrites(data):
        message = f"a rewrite of {name} has a backslash or a quote, which k3s does not escape: its"
        message += " hosts.toml is ignored as a whole"
        yield Finding("broken-rewrite", FindingEffect.NOTES, path, message)

"""The strategy for containerd before 1.5: registry.mirrors in config.toml, read only at start."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.core.containerd.features import Feature, supports
from fleet.core.containerd.hosts_toml import certificate_stem
from fleet.core.failure import OVERRIDE_REMEDY, FailureKind, NodeError, Step
from fleet.core.lint.config import lint
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Mirror, Registry
from fleet.core.model.version import ContainerdVersion
from fleet.core.render.base import (
    DesiredConfig,
    DesiredFiles,
    Refusals,
    auth_settings,
    known_version,
    parsed_dump,
)
from fleet.core.render.config_editor import open_editor
from fleet.core.render.tls_files import tls_contents, tls_paths
from fleet.core.text.toml_scan import Path, dotted

_FOLDER = "/etc/containerd/fleet"


class Legacy:
    """A strategy that writes endpoints into config.toml; every change needs a restart."""

    name = "legacy"

    def supports(self, facts: NodeFacts) -> bool:
        """Return whether the node's version knows only legacy mirrors."""
        return facts.daemon.version is not None and not supports(
            facts.daemon.version, Feature.CONFIG_PATH
        )

    def render(self, facts: NodeFacts, desired: DesiredConfig) -> DesiredFiles:
        """Return the config with the mirrors, and the certificates that it names."""
        version = known_version(facts)
        editor = open_editor(facts, desired)
        findings = list(lint(editor.view, facts))
        Refusals(findings).check()
        if not facts.offline:
            parsed_dump(facts)
        settings = dict(_settings(desired.registries, version))
        owned = tuple(dict.fromkeys(dotted(path[:-1]) for path in settings))
        editor.drop_orphans(owned)
        editor.set(settings)
        files = {
            path: ManagedFile(content, 0o600 if private else 0o644, secret=private)
            for path, content, private in _certificates(desired.registries)
        }
        files.update(editor.files(secret=bool(auth_settings(desired.registries))))
        return DesiredFiles(
            files,
            None,
            owned,
            tuple(editor.notes),
            config=editor.config,
            findings=tuple(findings),
            intended_registry=editor.intended,
        )


def _settings(
    registries: tuple[Registry, ...], version: ContainerdVersion
) -> Iterator[tuple[Path, str | bool | list[str]]]:
    """Yield the path and value of every setting below the registry table."""
    for registry in registries:
        name = "*" if registry.name == "_default" else registry.name
        if registry.mirrors:
            yield ("mirrors", name, "endpoint"), _endpoints(registry)
    for host, pairs in auth_settings(registries).items():
        _refuse_before_1_3(version, f"the login for {host}")
        for key, value in pairs:
            yield ("configs", host, "auth", key), value
    for mirror in _with_tls(registries):
        if mirror.authority == "_default":
            raise _refused('has no TLS settings for all registries (configs "*")')
        place = ("configs", mirror.authority, "tls")
        _refuse_before_1_3(version, f"the TLS setting of {mirror.authority}")
        if mirror.skip_verify:
            yield (*place, "insecure_skip_verify"), True
        for key, path in tls_paths(mirror, f"{_FOLDER}/{certificate_stem(mirror)}"):
            yield (*place, key), path


def _refuse_before_1_3(version: ContainerdVersion, what: str) -> None:
    if not supports(version, Feature.CONFIG_VERSION_2):
        message = f"containerd {version} has no registry.configs, which {what} needs"
        remedy = f"upgrade it to 1.3 or newer, or {OVERRIDE_REMEDY}"
        raise NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)


def _endpoints(registry: Registry) -> list[str]:
    """Return the URLs in order; legacy uses a path unchanged and always ends at upstream."""
    if not registry.fallback:
        raise _refused(f"cannot block the fallback of {registry.name} (fallback: never)")
    if registry.rewrite:
        raise _refused(f"does not support rewrite, which {registry.name} uses")
    for mirror in registry.mirrors:
        if mirror.header:
            raise _refused(f"cannot send a header to only one mirror ({mirror.url})")
        if mirror.override_path and not mirror.path:
            raise _refused(f"cannot leave out /v2 for {mirror.url}, which has no path")
    urls = [mirror.url for mirror in registry.mirrors]
    if registry.server is not None and registry.server not in _implied(registry.name):
        urls.append(registry.server)
    return urls


def _implied(name: str) -> tuple[str, ...]:
    return (f"https://{name}", "https://registry-1.docker.io" if name == "docker.io" else "")


def _refused(reason: str) -> NodeError:
    message = f"containerd before 1.5 {reason}"
    remedy = f"upgrade it, or {OVERRIDE_REMEDY}"
    return NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)


def _with_tls(registries: tuple[Registry, ...]) -> Iterator[Mirror]:
    hosts = (host for registry in registries for host in registry.hosts)
    return (host for host in hosts if host.has_tls)


def _certificates(registries: tuple[Registry, ...]) -> Iterator[tuple[str, bytes, bool]]:
    for mirror in _with_tls(registries):
        yield from tls_contents(mirror, f"{_FOLDER}/{certificate_stem(mirror)}")

"""Builders of the model's larger values, with the few fields that a test is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from fleet.core.containerd.registry_url import default_server
from fleet.core.containerd.requests import Image
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.mirrors.check import CheckStep, Diagnosis, EndpointCheck, Observation, Target
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import (
    ConfigFacts,
    DaemonFacts,
    NodeFacts,
    PathFacts,
    RancherFacts,
    UnitState,
)
from fleet.core.model.mirror import Mirror, Registry
from fleet.core.model.owned_state import STATE_FILE, OwnedState
from fleet.core.model.version import ContainerdVersion, parse_version

CONFIG = "/etc/containerd/config.toml"


def release(text: str) -> ContainerdVersion:
    """Return a release of containerd."""
    version = parse_version(text)
    assert version is not None
    return version


def facts_with(
    files: Mapping[str, str], version: str = "1.7.24", directories: Iterable[str] = ()
) -> NodeFacts:
    """Return the facts of a node that runs this release, with these files and folders."""
    return NodeFacts(
        daemon=DaemonFacts(running_version=release(version), installed_version=release(version)),
        config=ConfigFacts(path=CONFIG),
        files={
            path: ManagedFile(text.encode("utf-8", "surrogateescape"))
            for path, text in files.items()
        },
        paths=PathFacts(directories=frozenset(directories)),
    )


def owning(facts: NodeFacts, *paths: str, legacy: tuple[str, ...] = ()) -> NodeFacts:
    """Return the facts of the same node, on which fleet wrote some of the files."""
    state = OwnedState("g1", {path: facts.files[path].digest for path in paths}, legacy)
    return replace(facts, files={**facts.files, STATE_FILE: ManagedFile(state.render())})


def owned_by(facts: NodeFacts, owner: str, *, no_upstream: bool = False) -> NodeFacts:
    """Return the facts of the same node, whose containerd a distribution of Kubernetes runs."""
    if owner not in {"k3s", "rke2"}:
        return replace(facts, daemon=replace(facts.daemon, owner=owner))
    rancher = RancherFacts(
        registries=f"/etc/rancher/{owner}/registries.yaml",
        data_dir=f"/var/lib/rancher/{owner}",
        no_upstream=no_upstream,
    )
    return replace(facts, daemon=replace(facts.daemon, owner=owner, rancher=rancher))


def registry(name: str, *urls: str, **settings: Any) -> Registry:
    """Return a registry with these mirrors, and its own server unless `settings` name another."""
    mirrors = tuple(Mirror(url=url) for url in urls or ("https://m.test",))
    return Registry(
        **{"name": name, "server": default_server(name), "mirrors": mirrors, **settings}
    )


def failure(
    kind: FailureKind = FailureKind.VERIFY,
    step: Step = Step.VERIFY,
    message: str = "the pull failed",
    remedy: str = "try again",
    evidence: str = "",
) -> Failure:
    """Return a failure of the work on a node."""
    return Failure(kind, step, message, remedy, evidence)


def endpoint_check(
    url: str,
    seconds: float = 0.1,
    diagnosis: Diagnosis = Diagnosis.OK,
    digest: str = "sha256:a",
    proxy: str | None = None,
) -> EndpointCheck:
    """Return the check of one endpoint of docker.io, whose manifest took so many seconds."""
    image = Image("docker.io", "library/busybox", "1.36")
    return EndpointCheck(
        target=Target("docker.io", Mirror(url=url), image),
        seen=Observation(steps=(CheckStep("manifest", seconds, status=200),), digest=digest),
        diagnosis=diagnosis,
        proxy=proxy,
    )


def healthy(facts: NodeFacts) -> NodeFacts:
    """Return the facts of the same node, whose containerd runs and whose CRI plugin answers."""
    unit = UnitState(load="loaded", active="active", sub="running")
    cri = replace(facts.cri, state="ok", runtime_ready=True)
    return replace(facts, daemon=replace(facts.daemon, unit=unit), cri=cri)

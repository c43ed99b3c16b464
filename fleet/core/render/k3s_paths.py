"""The paths of k3s and RKE2 on a node, and the files that they should generate there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.change import Tree
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Registry
from fleet.core.model.paths import plain_path
from fleet.core.render.base import known_version
from fleet.core.render.generated_hosts import GeneratedFiles, generated_problems, meant_files
from fleet.core.text.toml_scan import Path


def registries_path(facts: NodeFacts) -> str:
    """Return the path of registries.yaml; raise a NodeError if fleet does not write there."""
    owner, rancher = facts.daemon.owner, facts.daemon.rancher
    path = rancher.registries or f"/etc/rancher/{owner}/registries.yaml"
    for name, value in (("private-registry", path), ("data-dir", data_dir(facts))):
        if not plain_path(value):
            message = f"fleet cannot use {name} {value!r} of {owner}"
            remedy = "use an absolute path of letters, digits, '.', '-' and '_'"
            raise NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)
    return path


def data_dir(facts: NodeFacts) -> str:
    """Return the folder in which a distribution keeps its state."""
    return facts.daemon.rancher.data_dir or f"/var/lib/rancher/{facts.daemon.owner}"


def generated_files(
    facts: NodeFacts,
    registries: tuple[Registry, ...],
    data: Mapping[str, Any],
    entries: Mapping[Path, Any],
) -> GeneratedFiles:
    """Return the files that k3s or RKE2 should generate for the registries of mirrors.yaml."""
    folder = f"{data_dir(facts)}/agent/etc/containerd"
    base = GeneratedFiles(
        owner=str(facts.daemon.owner),
        config=facts.config.path,
        folder=f"{folder}/certs.d",
        version=known_version(facts),
        registries=(),
        templates=tuple(templates(facts)),
        never=facts.daemon.rancher.no_upstream,
    )
    logins = [path[1] for path in entries if path[0] == "configs" and path[2] == "auth"]
    return meant_files(base, [registry.name for registry in registries], data, logins)


def refuse_not_generated(
    facts: NodeFacts, files: Tree, generated: GeneratedFiles, path: str
) -> None:
    """Raise a NodeError if nothing is to be changed, and yet other mirrors are in force."""
    running = facts.daemon.unit.running and not facts.offline
    if not running or any(facts.files.get(name) != file for name, file in files.items()):
        return
    contents = {name: file.content for name, file in facts.files.items()}
    problems = list(generated_problems(generated, contents))
    if problems:
        owner, unit = facts.daemon.owner, facts.daemon.unit_name
        message = f"{path} is as desired, but {owner} generated other settings: {problems[0]}"
        remedy = f"run `systemctl restart {unit}` on the node, then run the command again"
        evidence = "\n".join(problems)
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy, evidence)


def templates(facts: NodeFacts) -> Iterator[str]:
    """Yield the user's templates of config.toml; k3s prefers the last one that it knows."""
    base = f"{data_dir(facts)}/agent/etc/containerd"
    for name in ("config.toml.tmpl", "config-v3.toml.tmpl"):
        if f"{base}/{name}" in facts.files:
            yield f"{base}/{name}"

"""Every root with every import on every release: what was meant is what the real daemon reads, or
the node is refused; all the rest stays as it was, and our own merged view is the daemon's.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fleet.core.containerd.config import IMAGES
from fleet.core.containerd.imports import config_view
from fleet.core.containerd.registry_settings import effective, less_defaults, unequal
from fleet.core.containerd.registry_table import effective_registry
from fleet.core.failure import NodeError
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import DaemonFacts, NodeFacts
from fleet.core.model.mirror import MirrorConfig
from fleet.core.model.version import ContainerdVersion, parse_version
from fleet.core.plan.node_plan import NodePlan
from tests.golden.cases import VERSIONS, after, planned, wishes_of
from tests.golden.inputs import MIRRORS
from tests.golden.matrix import IMPORTS, REFUSED, ROOTS, tree_of
from tests.golden.test_golden import judges, newly_ignored, outside
from tests.lab.containerds import Answer
from tests.lab.dumps import dumps

CELLS = tuple((root, imported) for root in ROOTS for imported in IMPORTS)
Files = dict[str, bytes]
_LOGIN = {"username": "robot", "password": "s3cret"}
_LOCAL = ("discard_unpacked_layers", "use_local_image_pull", "image_pull_with_sync_fs")


@pytest.fixture
def wishes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MirrorConfig:
    monkeypatch.setenv("FLEET_TEST_SECRET", "s3cret")
    return wishes_of(MIRRORS["login"], tmp_path)


def facts_of(tree: Files, version: ContainerdVersion) -> NodeFacts:
    files = {path: ManagedFile(content) for path, content in tree.items()}
    return NodeFacts(offline=True, daemon=DaemonFacts(installed_version=version), files=files)


def release(text: str) -> ContainerdVersion:
    version = parse_version(text)
    assert version is not None
    return version


def test_the_matrix_is_large_enough() -> None:
    assert len(ROOTS) >= 7
    assert len(IMPORTS) >= 11
    assert len(VERSIONS) == 8


@pytest.mark.node
@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_meant_is_what_the_daemon_reads(version: str, wishes: MirrorConfig) -> None:
    judge = judges().get(version)
    if judge is None:
        pytest.skip(f"containerd {version} could not be built on this machine")
    trees = [tree_of(*cell) for cell in CELLS]
    plans = [planned(facts_of(tree, release(version)), wishes) for tree in trees]
    results = [config_files(after(*pair)) for pair in zip(trees, plans, strict=True)]
    changed = [number for number, plan in enumerate(plans) if plan.changes]

    before = dumps(judge, trees)
    said = dict(zip(changed, dumps(judge, [results[each] for each in changed]), strict=True))

    faults = []
    for number, (cell, plan) in enumerate(zip(CELLS, plans, strict=True)):
        faults += [
            f"{cell}: {fault}"
            for fault in (
                *unseen(trees[number], before[number], version),
                *(refused(plan, before[number]) if plan.failure else ()),
                *(ineffective(plan, before[number], said[number]) if plan.changes else ()),
                *(
                    unsettled(results[number], said[number], version, wishes)
                    if plan.changes
                    else ()
                ),
            )
        ]
    assert not faults, "\n".join(faults)


def config_files(tree: Files) -> Files:
    """Return what the daemon reads of a tree when it starts."""
    inside = ("/etc/containerd/config.toml", "/etc/containerd/conf.d/")
    return {path: content for path, content in tree.items() if path.startswith(inside)}


def unseen(tree: Files, answer: Answer, version: str) -> list[str]:
    """Name what our merged view of the files says otherwise than the daemon."""
    if answer.code:
        return []
    parsed, dump = release(version), tomllib.loads(answer.text)
    try:
        view = config_view(facts_of(tree, parsed), parsed, "")
        ours = effective(parsed, view.merged())
    except NodeError as error:
        return [] if any(why in str(error) for why in REFUSED) else [f"unread: {error}"]
    theirs = effective(parsed, effective_registry(dump))
    paths = unequal(ours, less_defaults(parsed, theirs, ours))
    images = dump["plugins"].get(IMAGES)
    flags = [key for key in _LOCAL if images and images.get(key, False) != flag(view.config, key)]
    return [f"our view differs in {paths} {flags}"] if paths or flags else []


def flag(config: Any, key: str) -> bool:
    return bool(config.images.get(key, False))


def refused(plan: NodePlan, before: Answer) -> list[str]:
    """Name a refusal that the daemon does not share and that is not written down."""
    assert plan.failure is not None
    assert plan.changes == ()
    known = before.code != 0 or any(why in plan.failure.message for why in REFUSED)
    return [] if known else [f"refused without need: {plan.failure.message}"]


def ineffective(plan: NodePlan, before: Answer, said: Answer) -> list[str]:
    """Name what the daemon does not read as it was meant, or reads otherwise than before."""
    if before.code != 0:
        return [f"edited, though the daemon refuses it: {before.log}"]
    if said.code != 0:
        return [f"the daemon refuses the result: {said.log}"]
    old, new = tomllib.loads(before.text), tomllib.loads(said.text)
    had, registry = effective_registry(old), effective_registry(new)
    faults = list(unserved(plan, registry, new))
    for host, login in {**logins(had), "a.example": _LOGIN}.items():
        found = logins(registry).get(host) or {}
        if any(found.get(key) != value for key, value in login.items()):
            faults.append(f"the login for {host} is not effective")
    if (registry.get("headers") or {}) != (had.get("headers") or {}):
        faults.append("headers are not as they were")
    if outside(old) != outside(new):
        faults.append("more than the registry has changed")
    if newly_ignored(before.log, said.log):
        faults.append("the daemon ignores more than before")
    return faults


def logins(registry: Mapping[str, Any]) -> dict[str, Any]:
    configs = registry.get("configs") or {}
    return {host: each["auth"] for host, each in configs.items() if "auth" in each}


def unserved(plan: NodePlan, registry: Mapping[str, Any], dump: Mapping[str, Any]) -> Iterator[str]:
    """Name why the mirrors would not be asked."""
    if plan.strategy == "legacy":
        if registry["mirrors"]["docker.io"]["endpoint"][0] != "https://a.example":
            yield "the mirror is not effective"
        return
    path = str(registry.get("config_path"))
    if path.split(":", maxsplit=1)[0] != plan.config.hosts_directory:
        yield f"config_path is {path!r}"
    if ":" in path and not splits(plan, dump):
        yield "config_path names two directories, and none is read"
    if registry.get("mirrors"):
        yield "mirrors beside config_path"


def splits(plan: NodePlan, dump: Mapping[str, Any]) -> bool:
    """Say whether the daemon splits a config_path: before 2.1, or where CRI pulls by itself."""
    images = dump["plugins"].get(IMAGES, {})
    local = any(images.get(key) for key in _LOCAL) or bool(
        (images.get("registry") or {}).get("configs")
    )
    return (plan.containerd or "") < "2.1" or local


def unsettled(tree: Files, said: Answer, version: str, wishes: MirrorConfig) -> list[str]:
    """Name what a second look finds: another view than the daemon's, or more to change."""
    again = planned(facts_of(tree, release(version)), wishes)
    moved = [change.path for change in again.changes if change.path in tree]
    faults = unseen(tree, said, version)
    if again.failure is not None:
        faults.append(f"refused the second time: {again.failure.message}")
    return [*faults, f"not idempotent: {moved}"] if moved else faults

"""Legacy settings on their way to certs.d: no mirror, no TLS setting and no owner gets lost."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import DaemonFacts, NodeFacts
from fleet.core.model.mirror import Foreign, Mirror, Registry
from fleet.core.model.node import Node
from fleet.core.model.owned_state import STATE_FILE
from fleet.core.model.version import parse_version
from fleet.core.plan.drift import find_drift
from fleet.core.plan.node_plan import NodePlan, state_after
from fleet.core.plan.planner import plan_node
from fleet.core.render.base import DesiredConfig

CONFIG = "/etc/containerd/config.toml"
CERTS = "/etc/containerd/certs.d"
CRI = 'plugins."io.containerd.grpc.v1.cri".registry'
CACHE = "https://cache.example"
SKIP = "insecure_skip_verify = true\n"


def wishes_for(*names: str, foreign: Foreign = Foreign.ADOPT) -> DesiredConfig:
    mirrors = (Mirror(url="https://m.example"),)
    registries = (Registry(name=n, server=f"https://{n}", mirrors=mirrors) for n in names)
    return DesiredConfig(tuple(registries), False, foreign)


def facts_of(files: dict[str, bytes], version: str = "1.7.24") -> NodeFacts:
    kept = {path: ManagedFile(content) for path, content in files.items()}
    return NodeFacts(
        offline=True, daemon=DaemonFacts(installed_version=parse_version(version)), files=kept
    )


def config_of(mirrors: dict[str, list[str]], tls: dict[str, str]) -> bytes:
    lines = ["version = 2\n"]
    for name, urls in mirrors.items():
        lines.append(f'[{CRI}.mirrors."{name}"]\n  endpoint = {urls!r}\n')
    lines += [f'[{CRI}.configs."{host}".tls]\n  {text}' for host, text in tls.items()]
    return "".join(lines).encode()


def plan_of(files: dict[str, bytes], wishes: DesiredConfig, version: str = "1.7.24") -> NodePlan:
    plan = plan_node(Node(name="n", host="n"), facts_of(files, version), wishes)
    assert plan.failure is None, plan.failure.message
    return plan


def after(files: dict[str, bytes], plan: NodePlan) -> dict[str, bytes]:
    result = dict(files)
    for change in plan.changes:
        result.pop(change.path, None)
        if change.after is not None:
            result[change.path] = change.after.content
    state = state_after(plan, "g")
    assert state is not None
    return {**result, STATE_FILE: state.content}


def hosts(plan: NodePlan, registry: str) -> dict[str, Any]:
    path = f"{CERTS}/{registry}/hosts.toml"
    content = {each.path: each.after for each in plan.changes}[path]
    assert content is not None
    return tomllib.loads(content.content.decode())


SOURCES = {
    "the registry behind a cache": (
        {"quay.io": [CACHE, "https://quay.io"]},
        {"quay.io": SKIP},
        "quay.io",
        [(CACHE, False), ("https://quay.io", True)],
    ),
    "the registry, which legacy asks last by itself": (
        {"quay.io": [CACHE]},
        {"quay.io": SKIP},
        "quay.io",
        [(CACHE, False), ("https://quay.io", True)],
    ),
    "the registry before a cache": (
        {"quay.io": ["https://quay.io", CACHE]},
        {"quay.io": SKIP},
        "quay.io",
        [("https://quay.io", True), (CACHE, False)],
    ),
    "Docker Hub's registry": (
        {"docker.io": [CACHE]},
        {"registry-1.docker.io": SKIP},
        "docker.io",
        [(CACHE, False), ("https://registry-1.docker.io", True)],
    ),
    "a name of Docker Hub that serves no images": (
        {"docker.io": [CACHE]},
        {"docker.io": SKIP},
        "docker.io",
        [(CACHE, False)],
    ),
    "a default port, as it was written": (
        {"quay.io": ["https://cache.example:443"]},
        {"cache.example:443": SKIP},
        "quay.io",
        [(CACHE, True)],
    ),
    "a host below the wildcard": (
        {"*": [CACHE]},
        {"own.example:5000": SKIP},
        "own.example:5000",
        [(CACHE, False), ("https://own.example:5000", True)],
    ),
    "a registry that is a mirror of another": (
        {"docker.io": [CACHE, "https://quay.io"]},
        {"quay.io": SKIP},
        "quay.io",
        [("https://quay.io", True)],
    ),
    "a mirror that is pulled from itself": (
        {"docker.io": [CACHE]},
        {"cache.example": SKIP},
        "cache.example",
        [(CACHE, True)],
    ),
    "Docker Hub's registry, which the wildcard names too": (
        {"*": [CACHE, "https://registry-1.docker.io"]},
        {"registry-1.docker.io": SKIP},
        "docker.io",
        [(CACHE, False), ("https://registry-1.docker.io", True)],
    ),
    "an IPv6 host": (
        {"[2001:db8::1]:5000": [CACHE]},
        {"[2001:db8::1]:5000": SKIP},
        "[2001:db8::1]:5000",
        [(CACHE, False), ("https://[2001:db8::1]:5000", True)],
    ),
}


@pytest.mark.parametrize(("mirrors", "tls", "registry", "wanted"), SOURCES.values(), ids=SOURCES)
def test_two_sources_of_a_registry_are_merged(
    mirrors: dict[str, list[str]],
    tls: dict[str, str],
    registry: str,
    wanted: list[tuple[str, bool]],
) -> None:
    version = "2.1.9" if "[" in registry else "1.7.24"  # 1.5 to 1.7 read no such key
    plan = plan_of({CONFIG: config_of(mirrors, tls)}, wishes_for("ghcr.io"), version)

    found = hosts(plan, registry)

    listed = [(url, each.get("skip_verify", False)) for url, each in found["host"].items()]
    assert listed[: len(wanted)] == wanted
    upstream = any(skip and url == found.get("server") for url, skip in wanted)
    assert found.get("skip_verify", False) is upstream


def test_an_upstream_of_mirrors_yaml_keeps_its_tls_settings() -> None:
    files = {CONFIG: config_of({"ghcr.io": [CACHE]}, {"ghcr.io": SKIP})}

    found = hosts(plan_of(files, wishes_for("ghcr.io")), "ghcr.io")

    assert list(found["host"]) == ["https://m.example"]
    assert (found["server"], found["skip_verify"]) == ("https://ghcr.io", True)


def test_tls_settings_under_a_url_are_named_and_left_out() -> None:
    files = {CONFIG: config_of({}, {"https://quay.io": SKIP})}

    plan = plan_of(files, wishes_for("ghcr.io"))

    assert any("https://quay.io are dropped" in note for note in plan.notes)
    assert all("quay.io" not in each.path for each in plan.changes)
    assert b"tls" not in after(files, plan)[CONFIG]


def test_migrated_files_are_known_and_left_alone(tmp_path: Path) -> None:
    start = {CONFIG: config_of({"quay.io": [CACHE]}, {})}
    first = plan_of(start, wishes_for("ghcr.io"))
    node = after(start, first)
    path = f"{CERTS}/quay.io/hosts.toml"

    assert b"Managed by fleet" not in node[path]
    assert node[path].startswith(b"# Written by fleet from legacy settings")
    for foreign in Foreign:
        again = plan_of(node, wishes_for("ghcr.io", foreign=foreign))
        assert again.changes == ()
        assert find_drift(facts_of(node), again, str) == ()
    other = plan_of(node, wishes_for("ghcr.io", "gcr.io"))
    assert path not in {each.path for each in other.changes}
    assert other.files.state.migrated == first.files.state.migrated
    edited = {**node, path: node[path] + b"# mine\n"}
    changed = plan_of(edited, wishes_for("ghcr.io"))
    assert [(each.path, each.drift) for each in find_drift(facts_of(edited), changed, str)] == [
        (path, "changed")
    ]
    named = plan_of(node, wishes_for("ghcr.io", "quay.io"))
    assert not any("did not write" in note for note in named.notes)
    assert path in named.files.state.files
    assert named.files.state.migrated == {}


@pytest.mark.parametrize("count", [100, 2000])
@pytest.mark.parametrize("dotted", [False, True], ids=["tables", "dotted keys"])
def test_the_time_of_a_migration_grows_with_the_file_alone(count: int, dotted: bool) -> None:
    names = [f"r{number}.example" for number in range(count)]
    if dotted:
        lines = [f'configs."{name}".tls.{SKIP}' for name in names]
        config = f"version = 2\n[{CRI}]\n{''.join(lines)}".encode()
    else:
        config = config_of({}, dict.fromkeys(names, SKIP))
    facts = facts_of({CONFIG: config})
    began = time.process_time()

    plan = plan_node(Node(name="n", host="n"), facts, wishes_for("ghcr.io"))

    assert plan.failure is None
    assert len(plan.changes) == count + 2
    assert time.process_time() - began < 0.002 * count + 1

"""What distributions of Kubernetes get: their own files, never a generated one.

No k0s or MicroK8s runs here: k0s's drop-in is judged by the containerd that would import it.
test_registries_yaml.py has k3s and RKE2.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from fleet.core.containerd.registry_table import effective_registry
from fleet.core.failure import FailureKind
from fleet.core.plan.node_plan import NodePlan
from tests.golden.cases import plan_for, text_of, wishes_of
from tests.golden.inputs import MIRRORS
from tests.golden.test_golden import judges


def k0s_drop_in(folder: Path, version: str, tree: dict[str, bytes] | None = None) -> NodePlan:
    wishes = wishes_of(MIRRORS["plain"], folder / "w")
    return plan_for(folder / "root", "k0s", wishes, tree, version=version)


@pytest.mark.node
@pytest.mark.parametrize("version", ["1.7.24", "2.1.9", "2.3.4"])
def test_the_drop_in_of_k0s_is_read_by_the_containerd_that_imports_it(
    version: str, tmp_path: Path
) -> None:
    judge = judges().get(version)
    if judge is None:
        pytest.skip(f"containerd {version} could not be built on this machine")
    plan = k0s_drop_in(tmp_path, version)
    drop_in = text_of(plan, "/etc/k0s/containerd.d/fleet.toml")
    said = 3 if version.startswith("2") else 2
    root = f'version = {said}\nimports = ["/etc/k0s/containerd.d/*.toml"]\n'
    tree = {
        "/etc/containerd/config.toml": root.encode(),
        "/etc/k0s/containerd.d/fleet.toml": drop_in.encode(),
    }

    answer = judge.dump(tree, "/etc/containerd/config.toml")

    assert answer.code == 0, answer.log
    found: dict[str, Any] = effective_registry(tomllib.loads(answer.text))
    assert found["config_path"] == "/etc/k0s/certs.d" == plan.config.hosts_directory
    assert plan.restart.by_distribution


def test_k0s_is_refused_where_its_file_is_the_users_or_a_drop_in_has_mirrors(
    tmp_path: Path,
) -> None:
    own = k0s_drop_in(tmp_path / "a", "1.7.24", {"/etc/k0s/containerd.toml": b"version = 2\n"})
    cri = b'[plugins."io.containerd.grpc.v1.cri".registry.mirrors."a"]\nendpoint = ["https://b"]\n'
    old = k0s_drop_in(tmp_path / "b", "1.7.24", {"/etc/k0s/containerd.d/m.toml": cri})

    assert own.failure is not None
    assert "k0s_managed=true" in own.failure.message
    assert old.failure is not None
    assert (old.failure.kind, "m.toml" in old.failure.message) == (FailureKind.CONFLICT, True)


@pytest.mark.parametrize(
    ("distro", "folder"),
    [
        ("microk8s", "/var/snap/microk8s/current/args/certs.d"),
        ("canonical-k8s", "/etc/containerd/hosts.d"),
    ],
)
def test_snaps_get_hosts_toml_alone(distro: str, folder: str, tmp_path: Path) -> None:
    plan = plan_for(tmp_path / "a", distro, wishes_of(MIRRORS["plain"], tmp_path / "w"))

    assert {change.path for change in plan.changes} == {
        f"{folder}/docker.io/hosts.toml",
        f"{folder}/quay.io/hosts.toml",
    }
    assert str(plan.restart.cost) == "none"


def test_eks_keeps_its_two_directories_since_it_pulls_locally(tmp_path: Path) -> None:
    config = (
        "version = 3\n[plugins.'io.containerd.cri.v1.images']\ndiscard_unpacked_layers = true\n"
        "[plugins.'io.containerd.cri.v1.images'.registry]\n"
        "config_path = '/etc/containerd/certs.d:/etc/docker/certs.d'\n"
    )
    tree = {"/etc/containerd/config.toml": config.encode()}

    plan = plan_for(tmp_path / "a", "eks", wishes_of(MIRRORS["plain"], tmp_path / "w"), tree)

    assert plan.changes
    assert all(change.path.startswith("/etc/containerd/certs.d/") for change in plan.changes)
    assert str(plan.restart.cost) == "none"
    assert any("EKS" in note for note in plan.notes)

"""The cost of a change to the node: nothing, or a restart of containerd."""

from __future__ import annotations

import pytest

from fleet.core.model.change import Change, ManagedFile, RestartCost
from fleet.core.plan.restart_cost import is_read_per_pull, restart_cost

CONFIG = "/etc/containerd/config.toml"
PATHS = {
    "/etc/containerd/certs.d/docker.io/hosts.toml": True,
    "/etc/containerd/certs.d/docker.io/m.0.ca.pem": True,
    "/etc/containerd/config.toml": False,
    "/etc/containerd/certs.d/docker.io/ca.crt": False,
    "/etc/containerd/certs.d/docker.io/hosts.toml.bak": False,
    "/etc/rancher/k3s/registries.yaml": False,
    "hosts.toml": False,
}


@pytest.mark.parametrize(("path", "per_pull"), PATHS.items(), ids=list(PATHS))
def test_hosts_files_and_certificates_are_read_at_every_pull(path: str, per_pull: bool) -> None:
    assert is_read_per_pull(path) is per_pull


HOSTS = "/etc/containerd/certs.d/docker.io/hosts.toml"
COSTS = {
    "no change": ([], RestartCost.NONE),
    "a hosts.toml": ([HOSTS], RestartCost.NONE),
    "the config": ([CONFIG], RestartCost.RESTART),
    "both": ([HOSTS, CONFIG], RestartCost.RESTART),
    "an unknown file": (["/etc/containerd/other"], RestartCost.RESTART),
    "a certificate of a legacy node": (["/etc/containerd/fleet/m.ca.pem"], RestartCost.RESTART),
    "a certificate elsewhere": (["/etc/other/fleet/m.ca.pem"], RestartCost.NONE),
}


@pytest.mark.parametrize(("paths", "cost"), COSTS.values(), ids=list(COSTS))
def test_the_gravest_path_decides(paths: list[str], cost: RestartCost) -> None:
    changes = [Change(path, None, ManagedFile(b"")) for path in paths]

    assert restart_cost(changes, CONFIG) is cost

"""Changed configs on real nodes: what was meant is what the daemon reads, or nothing changes."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from fleet.core.containerd.registry_table import effective_registry
from tests.e2e.test_conflicts import CERTS, CONFIG, CRI, IMG, ONE, plant
from tests.lab import Lab
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e

LOGIN = """
version: 1
mirrors:
  docker.io:
    endpoints: [https://docker.m.daocloud.io]
    verify: docker.io/library/busybox:1.36
configs:
  docker.m.daocloud.io: {auth: {username: robot, password: file:secret}}
"""
MIXED = {
    "headers under the new id": f'version = 2\n{IMG}.registry.headers]\n  X-Client = ["a"]\n',
    "TLS settings that 2.x ignores": (
        f'version = 2\n{CRI}.registry.mirrors."docker.io"]\n'
        '  endpoint = ["https://docker.m.daocloud.io"]\n'
        f'{CRI}.registry.configs."docker.m.daocloud.io".tls]\n  insecure_skip_verify = true\n'
    ),
    "no version, only the new id": (
        "[plugins.'io.containerd.cri.v1.runtime'.containerd]\n  default_runtime_name = 'runc'\n"
    ),
}


def registry_of(lab: Lab, name: str) -> dict[str, Any]:
    said = lab.nodes[name].sh("containerd config dump 2>/dev/null").stdout
    return effective_registry(tomllib.loads(said))


@pytest.mark.parametrize("config", MIXED.values(), ids=MIXED)
def test_a_login_and_config_path_are_effective_and_go_back(
    nodes: Lab, fleet: Fleet, config: str
) -> None:
    forky = nodes.nodes["forky1"]
    fleet.write("mirrors.yaml", LOGIN)
    fleet.write("secret", "s3cret")
    plant(nodes, "forky1", {CONFIG: config})
    before, headers = forky.digests("/etc"), registry_of(nodes, "forky1").get("headers")

    ran = fleet("rollout", "-y", "-l", "forky1", "--soak", "1", "--json")

    assert ran.json["nodes"]["forky1"]["status"] == "converged", ran.text
    assert ran.json["nodes"]["forky1"]["liveness"]["state"] == "live", ran.text
    found = registry_of(nodes, "forky1")
    assert found["config_path"] == CERTS
    assert found["configs"]["docker.m.daocloud.io"]["auth"]["username"] == "robot"
    assert found.get("headers") == headers
    assert fleet("drift", "-l", "forky1", "--exit-code").code == 0
    back = fleet("rollback", "-y", "-l", "forky1", "--soak", "1")
    assert back.code == 0, back.text
    assert forky.digests("/etc") == before


def test_what_would_not_take_effect_is_refused_and_nothing_changes(
    nodes: Lab, fleet: Fleet
) -> None:
    forky = nodes.nodes["forky1"]
    fleet.write("mirrors.yaml", ONE)
    # The daemon reads this table whatever its case, and fleet does not look for it.
    table = f"{IMG}.Registry.mirrors.'quay.io']\n  endpoint = ['https://quay.m.daocloud.io']\n"
    plant(nodes, "forky1", {CONFIG: f"version = 3\n{table}"})
    before = forky.digests("/etc")

    ran = fleet("rollout", "-y", "-l", "forky1", "--soak", "1", "--json")

    outcome = ran.json["nodes"]["forky1"]
    assert outcome["status"] == "failed", ran.text
    failure = outcome["failure"]
    assert (failure["kind"], failure["step"]) == ("validate", "validate")
    assert 'reads mirrors."quay.io" from another table' in failure["message"]
    assert forky.digests("/etc") == before
    assert forky.sh("ls -A /run/fleet 2>/dev/null").stdout.split() in ([], ["mutex"])


def test_a_migration_keeps_every_mirror_and_its_files_are_known(nodes: Lab, fleet: Fleet) -> None:
    trixie = nodes.nodes["trixie1"]
    fleet.write("mirrors.yaml", ONE)
    config = (
        f'version = 2\n{CRI}.registry.mirrors."quay.io"]\n'
        '  endpoint = ["https://quay.m.daocloud.io", "https://quay.io"]\n'
        f'{CRI}.registry.configs."quay.io".tls]\n  insecure_skip_verify = true\n'
    )
    plant(nodes, "trixie1", {CONFIG: config})
    before = trixie.digests("/etc")

    ran = fleet("rollout", "-y", "-l", "trixie1", "--soak", "1", "--json")

    assert ran.json["nodes"]["trixie1"]["status"] == "converged", ran.text
    text = trixie.sh(f"cat {CERTS}/quay.io/hosts.toml").stdout
    hosts = tomllib.loads(text)["host"]
    assert list(hosts) == ["https://quay.m.daocloud.io", "https://quay.io"]
    assert hosts["https://quay.io"]["skip_verify"] is True
    assert "mirrors.yaml does not name" in text
    drift = fleet("drift", "-l", "trixie1", "--exit-code", "--json")
    assert (drift.code, drift.json["nodes"]["trixie1"]["state"]) == (0, "in sync")
    assert (
        fleet("rollout", "-y", "-l", "trixie1", "--overwrite", "--json").json["nodes"]["trixie1"][
            "status"
        ]
        == "unchanged"
    )
    assert fleet("rollback", "-y", "-l", "trixie1", "--soak", "1").code == 0
    assert trixie.digests("/etc") == before
    assert trixie.sh(f"ls -d {CERTS}/quay.io 2>&1; true").stdout.count("No such file") == 1

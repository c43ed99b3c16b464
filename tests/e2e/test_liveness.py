"""Liveness: a daemon that does not read the folder is found out, whatever its files say."""

from __future__ import annotations

import pytest

from tests.e2e.test_conflicts import CERTS, CONFIG, CRI, ONE, plant
from tests.lab import Lab
from tests.support.fleet import Fleet, main_pid

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("crictl")]
WANTED = f'version = 2\n{CRI}.registry]\n  config_path = "{CERTS}"\n'
NAMES = ("bookworm1", "trixie1", "forky1")
LEFT = f"{CERTS}/999999.fleet-probe.invalid"


def test_a_config_path_that_the_running_daemon_has_not_read_fails_the_gate(
    nodes: Lab, fleet: Fleet
) -> None:
    """The file on disk is right, and no restart is due: only the daemon itself knows better."""
    fleet.write("mirrors.yaml", ONE)
    for name in NAMES:
        nodes.nodes[name].sh(f"sleep 1.1; printf '%s' '{WANTED}' >{CONFIG}; mkdir {CERTS}")
    before = {name: nodes.nodes[name].digests("/etc") for name in NAMES}
    pids = {name: main_pid(nodes, name) for name in NAMES}

    flags = ("rollout", "-y", "-l", ":".join(NAMES), "--batch", "3", "--max-failures", "3")
    ran = fleet(*flags, "--json")
    blind = fleet(*flags, "--json", "--no-liveness", "--no-verify")

    for name in NAMES:
        outcome = ran.json["nodes"][name]
        assert outcome["status"] == "rolled_back", ran.text
        assert (outcome["failure"]["kind"], outcome["failure"]["step"]) == ("health", "liveness")
        assert f"does not read {CERTS}" in outcome["failure"]["message"]
        assert "lookup" in outcome["failure"]["evidence"]
        assert outcome["liveness"]["state"] == "not_reading"
        assert blind.json["nodes"][name]["status"] == "converged", blind.text
        assert blind.json["nodes"][name]["liveness"] is None
        assert main_pid(nodes, name) == pids[name]
    assert fleet("rollback", "-y", "-l", ":".join(NAMES), "--batch", "3").code == 0
    assert {name: nodes.nodes[name].digests("/etc") for name in NAMES} == before


def test_a_live_daemon_says_so_and_what_a_killed_check_left_is_swept_and_no_drift(
    nodes: Lab, fleet: Fleet
) -> None:
    fleet.write("mirrors.yaml", ONE)
    for name in NAMES:
        plant(
            nodes, name, {CONFIG: WANTED, f"{LEFT}/hosts.toml": "server = 'http://127.0.0.1:1'\n"}
        )

    probe = fleet("probe", "-l", "trixie1", "--json").json["nodes"]["trixie1"]
    ran = fleet("rollout", "-y", "-l", ":".join(NAMES), "--batch", "3", "--json", "--overwrite")
    drift = fleet("drift", "-l", ":".join(NAMES), "--exit-code", "--json")

    assert probe["conflicts"] == []
    assert (ran.code, drift.code) == (0, 0), ran.text + drift.text
    assert "fleet-probe" not in fleet("diff", "-l", ":".join(NAMES)).text
    for name in NAMES:
        liveness = ran.json["nodes"][name]["liveness"]
        assert liveness["state"] == "live"
        assert "127.0.0.1:1: connect: connection refused" in liveness["output"]
        assert nodes.nodes[name].sh(f"ls {CERTS}").stdout == "docker.io\n"

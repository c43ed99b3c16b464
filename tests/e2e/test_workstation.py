"""The machine that fleet runs on: readers that leave, few files, one machine under two names."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e


def shell(fleet: Fleet, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which `fleet` is fleet, in its folder."""
    return subprocess.run(
        ["bash", "-c", f'fleet() {{ "{sys.executable}" -m fleet "$@"; }}; {line}'],
        cwd=fleet.folder,
        env={**os.environ, "FLEET_SSH_CONFIG": fleet.ssh_config},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.mark.usefixtures("crictl")
def test_a_reader_that_leaves_does_not_end_a_rollout_half_way(nodes: Lab, fleet: Fleet) -> None:
    line = "fleet rollout -y --batch 1 -l trixie1:forky1 2>&1 | head -n 2; exit ${PIPESTATUS[0]}"

    done = shell(fleet, line)

    (told,) = fleet("history", "--json").json["rollouts"]
    report = json.loads(fleet("report", told["rollout"], "--format", "json").stdout)
    assert done.returncode == 0
    assert told["status"] == "finished"
    assert {name: each["status"] for name, each in told["nodes"].items()} == {
        "trixie1": "converged",
        "forky1": "converged",
    }
    assert report["status"] == "finished"
    for name in ("trixie1", "forky1"):
        assert nodes.nodes[name].sh("ls /run/fleet/lock", check=False).returncode != 0


@pytest.mark.usefixtures("crictl")
def test_few_files_are_enough_for_all_nodes(nodes: Lab, fleet: Fleet) -> None:
    done = shell(fleet, "ulimit -n 64; fleet rollout -y --batch 4 --json")

    assert done.returncode == 0, done.stderr
    assert statuses(json.loads(done.stdout)) == dict.fromkeys(nodes.nodes, "converged")


def test_a_machine_under_two_names_is_refused_under_both(nodes: Lab, fleet: Fleet) -> None:
    address = nodes.nodes["trixie1"].address
    fleet.write("inventory.yaml", f"w: {{hosts: {{trixie1: {{}}, alias: {{host: {address}}}}}}}\n")

    ran = fleet("rollout", "-y", "--json")
    alone = fleet("diff", "-l", "alias", "--json")

    assert ran.code == 3, ran.text
    failures = {name: each["failure"] for name, each in ran.json["nodes"].items()}
    assert {each["kind"] for each in failures.values()} == {"conflict"}
    assert "the same machine as alias" in failures["trixie1"]["message"]
    assert "the same machine as trixie1" in failures["alias"]["message"]
    assert nodes.nodes["trixie1"].sh("ls -d /var/lib/fleet", check=False).returncode != 0
    assert alone.json["nodes"]["alias"]["failure"] is None

"""What becomes of the other nodes when one fails: staging, pauses, budgets and ways back."""

from __future__ import annotations

import re

import pytest

from tests.e2e.test_failures import failure_of, trap
from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.support.fleet import Fleet, main_pid

pytestmark = pytest.mark.e2e
QUICK = ("--soak", "0", "--no-verify", "--json")
_PICKY = """
mv /usr/bin/containerd /usr/bin/containerd.real
cat >/usr/bin/containerd <<'END'
#!/bin/sh
case "$*" in *stage*config*dump*) echo 'this config is not for me' >&2; exit 1 ;; esac
exec /usr/bin/containerd.real "$@"
END
chmod 755 /usr/bin/containerd
"""


def test_a_config_that_one_containerd_refuses_stops_all_before_any_swap(
    nodes: Lab, fleet: Fleet
) -> None:
    before = {name: node.digests("/etc", "/var/lib/fleet") for name, node in nodes.nodes.items()}
    pids = {name: main_pid(nodes, name) for name in nodes.nodes}
    forky = nodes.nodes["forky1"]
    forky.sh(_PICKY)
    try:
        ran = fleet("rollout", "-y", "--batch", "1", *QUICK)
    finally:
        forky.sh("mv /usr/bin/containerd.real /usr/bin/containerd")

    assert (ran.code, ran.json["status"]) == (3, "halted"), ran.text
    assert failure_of(ran.json, "forky1")[:2] == ("validate", "validate")
    assert "this config is not for me" in ran.json["nodes"]["forky1"]["failure"]["evidence"]
    others = dict.fromkeys(("bullseye1", "bookworm1", "trixie1"), "pending")
    assert statuses(ran.json) == {**others, "forky1": "failed"}
    after = {name: node.digests("/etc", "/var/lib/fleet") for name, node in nodes.nodes.items()}
    assert after == before
    assert {name: main_pid(nodes, name) for name in nodes.nodes} == pids
    assert all(node.sh("ls /run/fleet").stdout == "mutex\n" for node in nodes.nodes.values())


@pytest.mark.parametrize(
    ("on_failure", "left"),
    [
        ("halt", ["converged", "converged", "rolled_back", "pending"]),
        ("rollback-batch", ["converged", "rolled_back", "rolled_back", "pending"]),
        ("rollback-all", ["rolled_back", "rolled_back", "rolled_back", "pending"]),
    ],
)
def test_what_a_spent_budget_takes_back(
    nodes: Lab, fleet: Fleet, on_failure: str, left: list[str]
) -> None:
    nodes.nodes["trixie1"].sh(trap("exit 1"))
    before = {name: node.digests("/etc") for name, node in nodes.nodes.items()}

    ran = fleet("rollout", "-y", "--batch", "1,2,1", "--on-failure", on_failure, *QUICK)

    assert (ran.code, ran.json["status"]) == (3, "halted"), ran.text
    assert list(statuses(ran.json).values()) == left
    for name, status in statuses(ran.json).items():
        assert (nodes.nodes[name].digests("/etc") == before[name]) == (status != "converged")
        assert nodes.nodes[name].sh("ctr plugins ls id==cri").stdout.split()[-1] == "ok"
    assert all(node.sh("ls /run/fleet").stdout == "mutex\n" for node in nodes.nodes.values())


def test_failed_nodes_are_run_again_by_the_rollout_s_id(nodes: Lab, fleet: Fleet) -> None:
    trixie = nodes.nodes["trixie1"]
    trixie.sh(trap("exit 1"))
    flags = ("--batch", "4", "--max-failures", "1", *QUICK)
    first = fleet("rollout", "-y", *flags)
    trixie.sh("rm /etc/systemd/system/containerd.service.d/trap.conf; systemctl daemon-reload")

    written = fleet("report", first.json["rollout"], "-o", "report.html")
    page = (fleet.folder / "report.html").read_text()

    nobody = fleet("rollout", "-y", "--rerun", "unreachable", first.json["rollout"], *QUICK)
    again = fleet("rollout", "-y", "--rerun", "failed", first.json["rollout"], *QUICK)

    assert (first.code, statuses(first.json)["trixie1"]) == (1, "rolled_back"), first.text
    assert written.code == 0, written.text
    status = r'<span class="warn">\S+ rolled back</span>'
    told = rf'<b>trixie1</b>\s+{status}: [^<]+<span class="dim">\(restart\)'
    assert re.search(told, page)
    assert "hosts.toml" in page
    assert nobody.code == 2
    assert "left no unreachable nodes" in nobody.stderr
    assert (again.code, statuses(again.json)) == (0, {"trixie1": "converged"}), again.text


def test_a_node_that_falls_ill_in_the_pause_takes_its_change_back(nodes: Lab, fleet: Fleet) -> None:
    bullseye = nodes.nodes["bullseye1"]
    before = bullseye.digests("/etc/containerd")
    running = fleet.start(
        "rollout", "-y", "--batch", "1", "--pause", "3", "--health-timeout", "4", *QUICK
    )
    assert running.stderr is not None
    while "converged" not in running.stderr.readline():
        assert running.poll() is None
    bullseye.sh("systemctl stop containerd")

    running.communicate(timeout=120)

    told = fleet("history", "--json").json["rollouts"][0]
    failure = told["nodes"]["bullseye1"]["failure"]
    assert running.returncode == 3
    assert (failure["kind"], failure["step"]) == ("health", "pause")
    states = {name: each["status"] for name, each in told["nodes"].items()}
    rest = dict.fromkeys(("bookworm1", "trixie1", "forky1"), "pending")
    assert states == {"bullseye1": "rolled_back", **rest}
    assert bullseye.digests("/etc/containerd") == before
    assert bullseye.sh("ctr plugins ls id==cri").stdout.split()[-1] == "ok"

"""Control plane nodes on a real lab: never two in flight, whatever the batches and the crashes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleet.journal import Journal
from tests.e2e.test_resume import killed_after
from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.lab.crictl import compiler
from tests.lab.kubernetes import build_kubernetes
from tests.lab.kubernetes.stacked_etcd import StackedEtcd
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e
QUIET = ("--soak", "0", "--json")
QUICK = (*QUIET, "--no-verify")
MARKS = {
    "bookworm1": (
        "mkdir -p /etc/kubernetes/manifests; : >/etc/kubernetes/manifests/etcd.yaml",
        "rm -r /etc/kubernetes",
    ),
    "trixie1": (
        "printf '[Service]\\nExecStart=/bin/true\\n' >/etc/systemd/system/etcd.service",
        "rm /etc/systemd/system/etcd.service",
    ),
    "forky1": (
        "cp /bin/sleep /run/kube-apiserver; systemd-run -q --unit lab-api /run/kube-apiserver 900",
        "systemctl stop lab-api; rm /run/kube-apiserver",
    ),
}
PLANE = set(MARKS)


@pytest.fixture
def plane(nodes: Lab) -> Iterator[Lab]:
    """Return the lab with three nodes that look like a control plane."""
    for name, (mark, _) in MARKS.items():
        nodes.nodes[name].sh(mark)
    yield nodes
    for name, (_, unmark) in MARKS.items():
        nodes.nodes[name].sh(unmark)


def most_in_flight(fleet: Fleet, rollout: str = "") -> int:
    """Return how many control plane nodes were in flight at once, in one rollout or any."""
    journal = Journal(fleet.folder / ".fleet/journal.db")
    most = 0
    for record in journal.rollouts():
        flying: set[str] = set()
        for entry in journal.entries(record.id) if rollout in record.id else ():
            if entry.kind != "moved" or entry.node not in PLANE:
                continue
            flies = entry.payload["status"] in {"running", "checking", "reverting"}
            flying = flying | {entry.node} if flies else flying - {entry.node}
            most = max(most, len(flying))
    return most


def test_two_control_plane_nodes_are_never_in_flight_together(plane: Lab, fleet: Fleet) -> None:
    diff = fleet("diff", "--json").json["nodes"]
    killed_after(fleet, "bookworm1: started", "--batch", "4", "--no-verify")
    resumed = fleet("resume", "-y", "--json")
    back = fleet("rollback", "-y", "--batch", "100%", "--soak", "0", "--json")

    evidence = {name: each["role_evidence"] for name, each in diff.items() if each["role"]}
    assert evidence == {
        "bookworm1": ["/etc/kubernetes/manifests/etcd.yaml"],
        "trixie1": ["/etc/systemd/system/etcd.service"],
        "forky1": ["process kube-apiserver"],
    }
    assert resumed.code == 0, resumed.text
    assert set(statuses(resumed.json).values()) == {"converged"}
    assert resumed.json["batches"] == [["bullseye1", "bookworm1"], ["trixie1"], ["forky1"]]
    assert back.code == 0, back.text
    assert back.json["batches"] == resumed.json["batches"]
    assert most_in_flight(fleet) == 1


def test_while_one_is_down_no_other_is_taken_down(plane: Lab, fleet: Fleet) -> None:
    trixie = plane.nodes["trixie1"]
    trixie.sh("systemctl stop containerd")
    flags = ("--batch", "4", "--max-failures", "2", *QUICK)

    ran = fleet("rollout", "-y", *flags)
    told = fleet("history", ran.json["rollout"], "--json").json["reason"]
    trixie.sh("systemctl start containerd; until ctr version >/dev/null 2>&1; do sleep 0.05; done")
    again = fleet("resume", "-y", ran.json["rollout"], "--json")

    assert (ran.code, ran.json["status"]) == (3, "halted"), ran.text
    rest = dict.fromkeys(("bookworm1", "forky1"), "pending")
    assert statuses(ran.json) == {"bullseye1": "converged", "trixie1": "failed", **rest}
    assert told.startswith(
        "1 control plane node unavailable: trixie1 (containerd is inactive/dead)"
    )
    assert again.code == 1, again.text
    assert statuses(again.json) == {
        **dict.fromkeys(statuses(ran.json), "converged"),
        "trixie1": "failed",
    }
    assert most_in_flight(fleet) == 1


def test_a_control_plane_node_outside_the_selection_counts(plane: Lab, fleet: Fleet) -> None:
    """Nobody has seen the other nodes yet, so all are asked; then the journal remembers them."""
    forky = plane.nodes["forky1"]
    forky.sh("systemctl stop containerd")

    ran = fleet("rollout", "-y", "-l", "trixie1", *QUICK)
    told = fleet("history", ran.json["rollout"], "--json").json["reason"]
    rerun = fleet("rollback", "-y", "-l", "trixie1", *QUIET)
    again = fleet("rollout", "-y", "-x", "forky1", "--batch", "3", *QUICK)
    forky.sh("systemctl start containerd; until ctr version >/dev/null 2>&1; do sleep 0.05; done")
    resumed = fleet("resume", "-y", ran.json["rollout"], "--json")

    assert (ran.code, statuses(ran.json)) == (3, {"trixie1": "pending"}), ran.text
    assert "asking 3 nodes beside this rollout about the control plane: b" in ran.stderr
    assert told.startswith("1 control plane node unavailable: forky1 (containerd is")
    assert statuses(rerun.json) == {"trixie1": "unchanged"}
    assert (again.code, again.json["status"]) == (3, "halted"), again.text
    assert statuses(again.json)["bullseye1"] == "converged"
    assert "asking 1 node beside this rollout about the control plane: forky1" in again.stderr
    assert (resumed.code, statuses(resumed.json)) == (0, {"trixie1": "converged"}), resumed.text
    assert "asking 2 nodes beside this rollout about the control plane: b" in resumed.stderr


def test_two_fleets_that_share_no_journal_see_each_other_on_the_nodes(
    plane: Lab, fleet: Fleet, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("other")
    other = Fleet(folder, fleet.ssh_config)
    for name in ("inventory.yaml", "mirrors.yaml"):
        other.write(name, (fleet.folder / name).read_text())
    first = fleet.start("rollout", "-y", "-l", "bookworm1", "--soak", "0", "--no-verify")
    assert first.stderr is not None
    while "bookworm1: started" not in first.stderr.readline():
        assert first.poll() is None
    first.send_signal(signal.SIGSTOP)

    beside = other("rollout", "-y", "-l", "trixie1", *QUICK)
    together = other(
        "rollout", "-y", "-l", "bookworm1,forky1", "--batch", "2", "--max-failures", "1", *QUICK
    )
    reasons = [other("history", ran.json["rollout"], "--json").json["reason"]
               for ran in (beside, together)]  # fmt: skip
    first.send_signal(signal.SIGCONT)
    first.communicate(timeout=60)
    after = other("rollout", "-y", "-l", "trixie1", *QUICK)

    assert first.returncode == 0
    assert (beside.code, statuses(beside.json)) == (3, {"trixie1": "pending"}), beside.text
    assert together.code == 3
    ends = statuses(together.json)
    assert ends.pop("bookworm1") in {"failed", "unchanged"}, together.text  # locked, or in force
    assert ends == {"forky1": "pending"}
    for reason in reasons:
        assert reason.startswith("1 control plane node unavailable: bookworm1 ("), reason
    assert (after.code, statuses(after.json)) == (0, {"trixie1": "converged"}), after.text


def test_a_number_for_the_control_plane_lets_two_of_three_go_together(
    plane: Lab, fleet: Fleet
) -> None:
    fleet.edit("inventory.yaml", "    current:", "    current:\n      vars: {max_unavailable: 2}")

    ran = fleet("rollout", "-y", "--batch", "4", *QUICK)
    together = most_in_flight(fleet)
    fleet.edit("inventory.yaml", "        forky1:", "    edge:\n      hosts:\n        forky1:")
    back = fleet("rollback", "-y", "--batch", "100%", "-l", "bookworm1,trixie1", *QUIET)

    assert (ran.code, set(statuses(ran.json).values())) == (0, {"converged"}), ran.text
    assert ran.json["batches"] == [["bullseye1", "bookworm1", "trixie1"], ["forky1"]]
    assert together == 2
    assert back.code == 0, back.text
    assert most_in_flight(fleet, back.json["rollout"]) == 1  # nothing is said of forky1


@pytest.fixture
def etcd(nodes: Lab, tmp_path: Path) -> Iterator[StackedEtcd]:
    """Return a real etcd with a member on each of three nodes."""
    if compiler() is None:
        pytest.skip("NOT TESTED: etcd is built with Go, and this machine has none")
    members = {name: nodes.nodes[name] for name in ("bookworm1", "trixie1", "forky1")}
    etcd = StackedEtcd(members, tmp_path / "pki", build_kubernetes())
    try:
        etcd.start()
        yield etcd
    finally:
        etcd.stop()


@contextmanager
def fewest(etcd: StackedEtcd) -> Iterator[list[int]]:
    """Note how many members were up at the worst time within the context."""
    noted, over = [3], threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            noted.append(len(etcd.listening()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield noted
    finally:
        over.set()
        watcher.join()


@pytest.mark.timeout(3600)  # a first build of etcd takes minutes
def test_a_stacked_etcd_keeps_its_quorum_unless_the_user_lifts_the_limit(
    etcd: StackedEtcd, fleet: Fleet
) -> None:
    diff = fleet("diff", "--json").json["nodes"]
    with fewest(etcd) as with_rule:
        ran = fleet("rollout", "-y", "--batch", "100%", *QUICK)
    etcd.nodes["forky1"].sh("systemctl stop etcd")
    halted = fleet("rollback", "-y", "--batch", "100%", "-l", "trixie1", *QUIET)
    reason = fleet("history", halted.json["rollout"], "--json").json["reason"]
    etcd.nodes["forky1"].sh("systemctl start etcd")
    fleet.edit("inventory.yaml", "    current:", "    current:\n      vars: {max_unavailable: 3}")
    with fewest(etcd) as without:
        back = fleet("rollback", "-y", "--batch", "100%", *QUIET)

    assert [diff[name]["etcd"]["healthy"] for name in sorted(etcd.nodes)] == [3, 3, 3]
    assert diff["bullseye1"]["etcd"] is None
    assert ran.code == 0, ran.text
    assert "waiting for etcd, whose members restart with their nodes: etcd would lose" in ran.stderr
    assert "etcd before trixie1: 3 of 3 members healthy" in ran.stderr
    assert "etcd after the last control plane node: 3 of 3 members healthy" in ran.stderr
    assert min(with_rule) == 2
    assert (halted.code, statuses(halted.json)) == (3, {"trixie1": "pending"}), halted.text
    assert reason.startswith(
        "etcd would lose its quorum (2 of 3 members healthy, not forky1). So trixie1 must stay up"
    )
    assert back.code == 0, back.text
    assert min(without) < 2

"""A rollout on four real nodes of three containerd generations, and the way back."""

from __future__ import annotations

import time
import tomllib
from typing import Any

import pytest

from tests.conftest import NODES
from tests.lab import Lab
from tests.support.fleet import Fleet, main_pid
from tests.support.schemas import fits

pytestmark = pytest.mark.e2e
CERTS_D = NODES[1:]


def statuses(document: dict[str, Any]) -> dict[str, str]:
    return {name: each["status"] for name, each in document["nodes"].items()}


def dumps(lab: Lab) -> dict[str, dict[str, Any]]:
    """Return each daemon's own view; some releases cannot dump a file that is not there."""
    ask = "[ -f /etc/containerd/config.toml ] && word=dump; containerd config ${word:-default}"
    return {
        name: tomllib.loads(node.sh(f"({ask}) 2>/dev/null").stdout)
        for name, node in lab.nodes.items()
    }


def without_registry(dump: dict[str, Any]) -> dict[str, Any]:
    for name in ("io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images"):
        dump["plugins"].get(name, {}).pop("registry", None)
    return dump


@pytest.mark.usefixtures("crictl")
def test_a_rollout_converges_all_four_and_each_pulls_through_the_mirror(
    nodes: Lab, fleet: Fleet
) -> None:
    before = dumps(nodes)
    began = time.time()

    ran = fleet("rollout", "-y", "--batch", "1,3", "--pause", "1", "--json")

    assert ran.code == 0, ran.text
    for each in (ran.json, fleet("history", "--json").json["rollouts"][0]):  # the pause hides none
        assert [node["restarted"] for node in each["nodes"].values()] == [True] * 4
        assert all(pull["ok"] for node in each["nodes"].values() for pull in node["verified"])
        assert {len(node["verified"]) for node in each["nodes"].values()} == {2}
    assert ran.json["status"] == "finished"
    assert statuses(ran.json) == dict.fromkeys(NODES, "converged")
    assert ran.json["batches"] == [[NODES[0]], list(CERTS_D)]
    assert {each["strategy"] for each in ran.json["nodes"].values()} == {"legacy", "certs.d"}
    for name, node in nodes.nodes.items():
        pulled = node.sh("crictl pull docker.io/library/busybox")
        assert "Image is up to date" in pulled.stdout, name
        served = [each for each in nodes.registry.access(began) if node.address in each.remote]
        assert any("/v2/library/busybox/blobs/" in each.path for each in served), name
        assert any("ns=docker.io" in each.path for each in served), name
    after = dumps(nodes)
    for name in NODES:
        assert before[name] != after[name]
        assert without_registry(before[name]) == without_registry(after[name])


def test_a_second_rollout_changes_nothing_and_restarts_nothing(nodes: Lab, fleet: Fleet) -> None:
    assert fleet("rollout", "-y", "--batch", "4").code == 0
    pids = {name: main_pid(nodes, name) for name in NODES}
    digests = {name: nodes.nodes[name].digests("/etc", "/var/lib") for name in NODES}

    ran = fleet("rollout", "-y", "--json")

    assert ran.code == 0
    assert statuses(ran.json) == dict.fromkeys(NODES, "unchanged")
    assert {name: main_pid(nodes, name) for name in NODES} == pids
    assert {name: nodes.nodes[name].digests("/etc", "/var/lib") for name in NODES} == digests


def test_a_changed_endpoint_restarts_the_legacy_node_alone(nodes: Lab, fleet: Fleet) -> None:
    assert fleet("rollout", "-y", "--batch", "4").code == 0
    pids = {name: main_pid(nodes, name) for name in NODES}
    fleet.edit("mirrors.yaml", "      - https://reg-mirror.qiniu.com\n", "")

    ran = fleet("rollout", "-y", "--batch", "4", "--json")

    assert ran.code == 0, ran.text
    restarted = {name for name in NODES if main_pid(nodes, name) != pids[name]}
    assert restarted == {"bullseye1"}
    assert {n for n, each in ran.json["nodes"].items() if each["restarted"]} == {"bullseye1"}


FLAKY = """
version: 1
mirrors:
  docker.io:
    endpoints: [https://flaky.lab.test]
    verify: docker.io/library/busybox:1.36
"""


@pytest.mark.parametrize("first", ["bullseye1", "trixie1"])
def test_a_mirror_without_the_image_rolls_the_first_batch_back(
    nodes: Lab, fleet: Fleet, first: str
) -> None:
    fleet.write("mirrors.yaml", FLAKY)
    fleet.edit("inventory.yaml", f"{first}: {{", f"{first}: {{order: -1, ")
    nodes.flaky.mode("404")
    before = {name: nodes.nodes[name].digests("/etc", "/var/lib") for name in NODES}

    ran = fleet("rollout", "-y", "--batch", "1", "--json")

    assert ran.code == 3, ran.text
    assert ran.json["status"] == "halted"
    rest = dict.fromkeys([name for name in NODES if name != first], "pending")
    assert statuses(ran.json) == {**rest, first: "rolled_back"}
    failure = ran.json["nodes"][first]["failure"]
    assert (failure["kind"], failure["step"]) == ("verify", "verify")
    after = {name: nodes.nodes[name].digests("/etc", "/var/lib") for name in NODES}
    told = ("/var/lib/fleet/audit.log", "/var/lib/fleet/last/")
    after[first] = {p: d for p, d in after[first].items() if not p.startswith(told)}
    assert after == before
    assert nodes.nodes[first].sh("ctr plugins ls id==cri").stdout.split()[-1] == "ok"


def test_a_rollback_restores_every_byte_mode_and_owner(nodes: Lab, fleet: Fleet) -> None:
    foreign = "mkdir -p /etc/containerd/certs.d/quay.io; cd /etc/containerd/certs.d/quay.io"
    text = "printf '# by hand\\r\\n' >hosts.toml; chown ops:ops hosts.toml; chmod 640 hosts.toml"
    nodes.nodes["trixie1"].sh(f"{foreign}; {text}")
    nodes.nodes["forky1"].sh("chmod 600 /etc/containerd/config.toml")
    nodes.nodes["bookworm1"].sh("rm /etc/containerd/config.toml; systemctl restart containerd")
    before = {name: nodes.nodes[name].digests("/etc") for name in NODES}
    first = fleet("rollout", "-y", "--batch", "4", "--json")
    assert first.code == 0, first.text
    fleet.edit("mirrors.yaml", "      - https://reg-mirror.qiniu.com\n", "")
    middle = {name: nodes.nodes[name].digests("/etc") for name in NODES}
    assert fleet("rollout", "-y", "--batch", "4").code == 0
    assert all(nodes.nodes[name].digests("/etc") != middle[name] for name in NODES)

    dry = fleet("rollback", "--dry-run")
    back_once = fleet("rollback", "-y", "--batch", "1,3", "--json")
    once = {name: nodes.nodes[name].digests("/etc") for name in NODES}
    back_twice = fleet("rollback", "-y", "--batch", "4", "--json")
    twice = {name: nodes.nodes[name].digests("/etc") for name in NODES}
    nothing_left = fleet("rollback", "-y", "--json")

    assert dry.code == 0
    assert '+[host."https://reg-mirror.qiniu.com"]' in dry.stdout
    assert (back_once.code, back_twice.code) == (0, 0), back_once.text + back_twice.text
    assert once == middle
    assert twice == before
    assert (nothing_left.code, nothing_left.json["rollout"]) == (0, "")
    assert set(statuses(nothing_left.json).values()) == {"unchanged"}


def test_a_rollback_to_a_generation_undoes_all_that_came_after(nodes: Lab, fleet: Fleet) -> None:
    before = {name: nodes.nodes[name].digests("/etc") for name in CERTS_D}
    first = fleet("rollout", "-y", "--batch", "4", "-l", "current", "--json")
    fleet.edit(
        "mirrors.yaml",
        "    endpoints: [https://quay.m.daocloud.io]\n",
        "    endpoints: [https://flaky.lab.test]\n",
    )
    assert fleet("rollout", "-y", "--batch", "4", "-l", "current").code == 0

    ran = fleet("rollback", "-y", "--batch", "4", "-l", "current", "--to", first.json["rollout"])

    assert ran.code == 0, ran.text
    assert {name: nodes.nodes[name].digests("/etc") for name in CERTS_D} == before


def test_a_dry_run_touches_nothing(nodes: Lab, fleet: Fleet) -> None:
    before = {name: nodes.nodes[name].digests("/etc", "/var/lib", "/run/fleet") for name in NODES}

    diff = fleet("diff", "--exit-code", "--json")
    dry = fleet("rollout", "--dry-run")
    probe = fleet("probe", "--json")

    assert (diff.code, dry.code, probe.code) == (4, 0, 0), diff.text
    assert {each["disruption"] for each in diff.json["nodes"].values()} == {"restart"}
    assert "bookworm1,trixie1" in dry.stdout
    assert {each["state"] for each in probe.json["nodes"].values()} == {"unmanaged"}
    after = {name: nodes.nodes[name].digests("/etc", "/var/lib", "/run/fleet") for name in NODES}
    assert after == before


@pytest.mark.usefixtures("crictl")
@pytest.mark.parametrize("user", ["root", "pat"])
def test_root_and_a_sudo_password_work_as_well(nodes: Lab, fleet: Fleet, user: str) -> None:
    fleet.edit("inventory.yaml", "user: ops", f"user: {user}")
    flags = ("-K",) if user == "pat" else ()
    stdin = f"{nodes.password}\n"

    ran = fleet("rollout", "-y", "--batch", "4", "--json", *flags, stdin=stdin)
    verified = fleet("verify", "--json", *flags, stdin=stdin)
    back = fleet("rollback", "-y", "--batch", "4", "--json", *flags, stdin=stdin)

    assert statuses(ran.json) == dict.fromkeys(NODES, "converged"), ran.text
    assert (ran.code, verified.code, back.code) == (0, 0, 0)
    verdicts = [each for node in verified.json["nodes"].values() for each in node["verified"]]
    assert len(verdicts) == 8
    assert all(each["ok"] and each["via"] == "crictl" for each in verdicts)
    assert nodes.password not in ran.text
    left = nodes.nodes["forky1"].sh(
        f"ls -d /tmp/fleet-*; grep -r {nodes.password} /var/log", check=False
    )
    assert left.stdout == ""


def test_a_registry_that_is_named_no_more_goes_and_foreign_files_stay(
    nodes: Lab, fleet: Fleet
) -> None:
    assert fleet("rollout", "-y", "--batch", "4").code == 0
    nodes.nodes["trixie1"].sh(
        "cd /etc/containerd/certs.d; mkdir mine.example; echo '#' >mine.example/hosts.toml"
    )
    fleet.edit("mirrors.yaml", "  nvcr.io:\n    endpoints: [https://nvcr.m.daocloud.io]\n", "")

    ran = fleet("rollout", "-y", "--batch", "4", "--json")

    assert ran.code == 0, ran.text
    listing = nodes.nodes["trixie1"].sh("ls /etc/containerd/certs.d").stdout.split()
    assert "nvcr.io" not in listing
    assert {"mine.example", "quay.io"} <= set(listing)
    assert "nvcr.io" not in nodes.nodes["bullseye1"].sh("cat /etc/containerd/config.toml").stdout


def test_a_node_without_config_toml_gets_a_minimal_one_or_all_defaults(
    nodes: Lab, fleet: Fleet
) -> None:
    defaults = {}
    for name, node in nodes.nodes.items():
        node.sh("rm /etc/containerd/config.toml; systemctl restart containerd")
        defaults[name] = without_registry(dumps(nodes)[name])

    assert fleet("rollout", "-y", "--batch", "4").code == 0
    minimal = {
        name: nodes.nodes[name].sh("cat /etc/containerd/config.toml").stdout for name in NODES
    }
    dumped = {name: without_registry(each) for name, each in dumps(nodes).items()}
    assert fleet("rollback", "-y", "--batch", "4").code == 0
    full = fleet("rollout", "-y", "--batch", "4", "--full-default")

    assert full.code == 0, full.text
    for name in NODES:
        assert len(minimal[name].splitlines()) < 60
        for each in (dumped[name], defaults[name]):
            each.pop("imports", None)
        assert dumped[name] == defaults[name]
        assert len(nodes.nodes[name].sh("cat /etc/containerd/config.toml").stdout.splitlines()) > 80


@pytest.mark.usefixtures("crictl")
def test_a_node_without_crictl_is_proven_by_ctr_and_says_that_this_is_weaker(
    nodes: Lab, fleet: Fleet
) -> None:
    """Where nothing leads to CRI; else CRI itself is asked over the connection."""
    nodes.each(lambda node: node.sh("mv /usr/local/bin/crictl /run/lab-crictl"))
    closed = "chmod -x /lib/systemd/systemd-socket-proxyd"
    nodes.each(lambda node: node.sh(closed))

    ran = fleet("rollout", "-y", "--batch", "4", "--json")
    text = fleet("verify")

    assert ran.code == 0, ran.text
    for name in NODES:
        verdict = ran.json["nodes"][name]["verified"][0]
        assert (verdict["ok"], verdict["via"]) == (True, "ctr")
        assert verdict["mirror"] == "dockerproxy.com"
        assert verdict["detail"] == "ctr only, CRI not verified"
    assert text.stdout.count("ctr only, CRI not verified") == 8


def test_history_tells_what_was_done(nodes: Lab, fleet: Fleet) -> None:
    why = ("--message", "OPS-12: a dead\nmirror")
    ran = fleet("rollout", "-y", "-l", "forky1", "--json", *why)
    rollout = ran.json["rollout"]

    listed = fleet("history", "--json").json["rollouts"]
    one = fleet("history", rollout[:-1], "--json").json

    assert [(each["rollout"], each["status"]) for each in listed] == [(rollout, "finished")]
    assert one["nodes"]["forky1"]["status"] == "converged"
    assert "@" in one["operator"]
    assert rollout in fleet("history").stdout
    assert "forky1" in fleet("history", rollout).stdout
    audit = nodes.nodes["forky1"].sh("cat /var/lib/fleet/audit.log").stdout
    assert rollout in audit

    read = fleet("history", "last", "--from-nodes", "-l", "forky1", "--journal", "none", "--json")
    fits("history", read.json)
    (recorded,) = read.json["rollouts"]
    assert (recorded["rollout"], recorded["kind"]) == (rollout, "rollout")
    assert recorded["message"] == listed[0]["message"] == "OPS-12: a dead mirror"
    assert recorded["operators"] == [one["operator"]]
    assert recorded["nodes"]["forky1"]["status"] == "converged"

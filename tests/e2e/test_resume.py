"""Resume: what a dead fleet left is settled by what the nodes say, and the rest is done."""

from __future__ import annotations

import signal
import subprocess

import pytest

from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.support.fleet import Fleet, main_pid

pytestmark = pytest.mark.e2e
BATCHES = ("rollout", "-y", "--batch", "1", "--soak", "1")


def killed_after(fleet: Fleet, word: str, *flags: str) -> subprocess.Popen[str]:
    """Kill a rollout as soon as it says a word."""
    running = fleet.start(*BATCHES, *flags)
    assert running.stderr is not None
    while word not in running.stderr.readline():
        assert running.poll() is None
    running.kill()
    running.communicate()
    return running


def test_a_killed_rollout_is_finished_and_done_nodes_are_not_touched_again(
    nodes: Lab, fleet: Fleet
) -> None:
    killed_after(fleet, "bookworm1: started")
    done = main_pid(nodes, "bullseye1")
    listed = fleet("history", "--json").json["rollouts"][0]
    second = fleet("rollout", "-y", "-l", "forky1", "--json")
    for name in ("inventory.yaml", "mirrors.yaml"):
        fleet.write(name, f"# a comment\n\n{(fleet.folder / name).read_text()}")

    ran = fleet("resume", "-y", "--json")

    assert listed["status"] == "interrupted"
    assert [listed["nodes"][name]["status"] for name in ("bullseye1", "forky1")] == [
        "converged",
        "pending",
    ]
    held = second.json["nodes"]["forky1"]["failure"]
    assert (second.code, held["kind"]) == (3, "locked")
    assert f"held by rollout {listed['rollout']}" in held["message"]
    assert ran.code == 0, ran.text
    assert ran.json["rollout"] == listed["rollout"]
    assert set(statuses(ran.json).values()) == {"converged"}
    unproven = {name: each["unproven"] for name, each in ran.json["nodes"].items()}
    assert "quay.io" in unproven["bookworm1"]
    assert "not verified by a pull: docker.elastic.co" in fleet("history", listed["rollout"]).stdout
    assert unproven["bookworm1"] == unproven["forky1"] == unproven["bullseye1"]
    assert main_pid(nodes, "bullseye1") == done
    assert fleet("diff", "--exit-code").code == 0
    assert all(node.sh("ls /run/fleet").stdout == "mutex\n" for node in nodes.nodes.values())
    assert fleet("resume", "-y", listed["rollout"]).code == 0


def test_a_rollback_is_not_resumed_over_a_later_rollout(nodes: Lab, fleet: Fleet) -> None:
    limited = ("-y", "-l", "forky1,trixie1", "--json")
    assert fleet("rollout", *limited).code == 0
    running = fleet.start("rollback", *limited, "--batch", "1", "--soak", "20")
    assert running.stderr is not None
    while "started" not in running.stderr.readline():
        assert running.poll() is None
    running.kill()
    running.communicate()
    broken = fleet("history", "--json").json["rollouts"][0]["rollout"]
    assert fleet("unlock", broken, "-y", "-l", "forky1,trixie1").code == 0
    mirrors = "version: 1\nmirrors:\n  quay.io:\n    endpoints: ['http://127.0.0.1:5']\n"
    (fleet.folder / "mirrors.yaml").write_text(mirrors)
    assert fleet("rollout", *limited, "--overwrite").code == 0
    before = [nodes.nodes[name].sh("cat /etc/containerd/certs.d/quay.io/hosts.toml").stdout
              for name in ("forky1", "trixie1")]  # fmt: skip

    newest, named = fleet("resume", "-y"), fleet("resume", "-y", broken)

    assert (newest.code, named.code) == (2, 2), newest.text + named.text
    for ran in (newest, named):
        assert f"rollout {broken} was interrupted" in ran.text
        assert "has changed trixie1,forky1 since; roll out again" in ran.text
    after = [nodes.nodes[name].sh("cat /etc/containerd/certs.d/quay.io/hosts.toml").stdout
             for name in ("forky1", "trixie1")]  # fmt: skip
    assert after == before


def test_a_rollout_that_was_killed_while_staging_is_finished(nodes: Lab, fleet: Fleet) -> None:
    killed_after(fleet, "[stage]")

    ran = fleet("resume", "-y", "--json")

    assert ran.code == 0, ran.text
    assert set(statuses(ran.json).values()) == {"converged"}


def test_two_ctrl_c_end_a_rollback_and_resume_finishes_it(nodes: Lab, fleet: Fleet) -> None:
    before = {name: node.digests("/etc") for name, node in nodes.nodes.items()}
    fleet("rollout", "-y", "--batch", "4", "--soak", "0", "--no-verify")
    running = fleet.start("rollback", "-y", "--batch", "2", "--soak", "2")
    assert running.stderr is not None
    while "started" not in running.stderr.readline():
        assert running.poll() is None
    running.send_signal(2)
    while "Press Ctrl-C again" not in running.stderr.readline():
        assert running.poll() is None
    running.send_signal(2)
    _, told = running.communicate(timeout=10)

    ran = fleet("resume", "-y", "--json")

    assert running.returncode == 130
    assert "2 nodes may have an unconfirmed change and will undo it within 180 s." in told
    assert "\n    fleet resume 20" in told
    assert ran.code == 0, ran.text
    assert {name: node.digests("/etc") for name, node in nodes.nodes.items()} == before


def test_a_rollout_is_not_finished_by_other_files(nodes: Lab, fleet: Fleet) -> None:
    killed_after(fleet, "bullseye1: started")
    rollout = fleet("history", "--json").json["rollouts"][0]["rollout"]
    fleet.edit("mirrors.yaml", "https://dockerproxy.com", "https://registry.lab.test")

    ran = fleet("resume", "-y")
    freed = fleet("unlock", rollout, "-y")

    assert ran.code == 2
    assert "mirrors.yaml: docker.io: endpoints. Change it back" in ran.stderr
    assert f"`fleet unlock {rollout}`" in ran.stderr
    assert freed.code == 0, freed.text
    assert fleet("rollout", "-y", "--batch", "4", "--soak", "0").code == 0


def test_a_rollout_is_not_finished_with_another_secret_or_certificate(
    nodes: Lab, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = "LabSecretOne", "LabSecretTwo"
    ca = nodes.authority.read_text()
    fleet.write("ca.pem", ca)
    fleet.edit("mirrors.yaml", "version: 1\n", "version: 1\nconfigs:\n  dockerproxy.com:\n"
               "    auth: {username: robot, password: env:LAB_SECRET}\n"
               "    tls: {ca_file: ca.pem}\n")  # fmt: skip
    monkeypatch.setenv("LAB_SECRET", first)
    killed_after(fleet, "forky1: started", "-l", "trixie1:forky1")

    monkeypatch.setenv("LAB_SECRET", second)
    other_secret = fleet("resume", "-y")
    monkeypatch.setenv("LAB_SECRET", first)
    fleet.write("ca.pem", ca + ca)
    other_ca = fleet("resume", "-y")
    fleet.write("ca.pem", ca)
    same = fleet("resume", "-y", "--json")

    told = "mirrors.yaml: the login of https://dockerproxy.com for docker.io. Change it back"
    assert (other_secret.code, told in other_secret.stderr) == (2, True), other_secret.text
    assert "the ca of https://dockerproxy.com for docker.io. Change" in other_ca.stderr
    assert other_ca.code == 2
    assert same.code == 0, same.text
    assert set(statuses(same.json).values()) == {"converged"}
    for name in ("trixie1", "forky1"):
        node = nodes.nodes[name]
        assert node.sh(f"grep -c {first} /etc/containerd/config.toml").stdout == "1\n"
    shown = [ran.text for ran in (other_secret, other_ca, same, fleet("history", "--json"))]
    kept = (fleet.folder / ".fleet" / "journal.db").read_bytes()
    assert not [text for text in shown if first in text or second in text]
    assert first.encode() not in kept


def test_one_fleet_at_a_time_works_with_a_journal(nodes: Lab, fleet: Fleet) -> None:
    first = fleet.start(*BATCHES)
    assert first.stderr is not None
    while "started" not in first.stderr.readline():
        assert first.poll() is None

    first.send_signal(signal.SIGSTOP)  # it must not end before the others have asked
    second = fleet("rollback", "-y")
    (listed,) = fleet("history", "--json").json["rollouts"]
    refused = fleet("unlock", listed["rollout"], "-y")
    first.send_signal(signal.SIGCONT)
    first.communicate(timeout=120)

    assert second.code == 3
    assert "is in use by rollout 20" in second.stderr
    assert listed["status"] == "running"
    assert refused.code == 3
    assert f"rollout {listed['rollout']} is still running on this machine" in refused.stderr
    assert first.returncode == 0

"""`fleet verify --self-contained`: a pull with no registry anywhere, and nothing left behind."""

from __future__ import annotations

import pytest

from tests.lab import Lab
from tests.support.fleet import Fleet
from tests.support.schemas import fits

pytestmark = pytest.mark.e2e
CERTS = "/etc/containerd/certs.d"
LEFT = (
    f"ls {CERTS}; ctr -n k8s.io images ls -q; ctr namespaces ls -q; ls /run/fleet;"
    " pgrep -f socket-[ap]"
)
CLOSE = "chmod -x /lib/systemd/systemd-socket-proxyd"


def details(fleet: Fleet, *words: str) -> dict[str, tuple[bool, str, str]]:
    """Return whether every node pulled, by what, and what that is worth."""
    ran = fleet("verify", "--self-contained", "--json", *words)
    assert ran.code == 0, ran.text
    fits("verify", ran.json)
    verdicts = {name: each["verified"][0] for name, each in ran.json["nodes"].items()}
    return {name: (v["ok"], v["via"], v["detail"]) for name, v in verdicts.items()}


def test_every_node_proves_its_pull_before_and_after_a_rollout_with_and_without_crictl(
    nodes: Lab, fleet: Fleet, crictl: None
) -> None:
    fleet.edit("inventory.yaml", ".14}", ".14, user: root}")
    before = details(fleet)
    fleet("rollout", "-y", "--batch", "4", "--soak", "0", "--no-verify")
    after = details(fleet)
    lists = {name: node.sh(LEFT, check=False).stdout for name, node in nodes.nodes.items()}
    drift = fleet("drift", "--exit-code")
    nodes.each(lambda node: node.sh("mv /usr/local/bin/crictl /run/lab-crictl"))
    without = details(fleet)
    nodes.each(lambda node: node.sh(CLOSE))
    closed = details(fleet)
    ends = {name: node.sh(LEFT, check=False).stdout for name, node in nodes.nodes.items()}

    read = f"CRI pulls, and reads hosts.toml below {CERTS}"
    open_ = "CRI pulls; not verified that it reads mirrors: "
    assert {each[:2] for each in (*before.values(), *after.values())} == {(True, "crictl")}
    assert all(each[2].startswith(open_) for each in before.values())
    assert {name for name, each in after.items() if each[2] == read} == {
        "bookworm1",
        "trixie1",
        "forky1",
    }
    assert after["bullseye1"][2].startswith(f"{open_}containerd 1.4")
    assert without == {name: (True, "cri", each[2]) for name, each in after.items()}
    assert set(closed.values()) == {(True, "ctr", "ctr only, CRI not verified")}
    assert not [text for text in lists.values() if "selftest" in text or ".invalid" in text]
    assert ends == lists
    assert drift.code == 0, drift.text


def test_what_a_killed_test_left_is_no_drift_and_goes_the_next_time(
    nodes: Lab, fleet: Fleet, crictl: None
) -> None:
    trixie = nodes.nodes["trixie1"]
    fleet("rollout", "-y", "-l", "trixie1", "--soak", "0", "--no-verify")
    left = f"{CERTS}/9999999.fleet-probe.invalid"
    trixie.sh(f"mkdir {left}; echo 'server = \"http://127.0.0.1:1\"' >{left}/hosts.toml")

    drift = fleet("drift", "-l", "trixie1", "--exit-code")
    details(fleet, "-l", "trixie1")

    assert drift.code == 0, drift.text
    assert trixie.sh(f"ls {CERTS}").stdout.count("invalid") == 0


def test_an_sshd_that_forwards_nothing_to_us_says_what_to_do(nodes: Lab, fleet: Fleet) -> None:
    trixie = nodes.nodes["trixie1"]
    line = "AllowTcpForwarding local"
    trixie.sh(f"echo '{line}' >/etc/ssh/sshd_config.d/lab.conf; systemctl reload ssh")
    try:
        ran = fleet("verify", "--self-contained", "-l", "trixie1", "--json")
    finally:
        trixie.sh("rm /etc/ssh/sshd_config.d/lab.conf; systemctl reload ssh")

    failure = ran.json["nodes"]["trixie1"]["failure"]
    assert (ran.code, failure["kind"]) == (1, "unsupported")
    assert "set AllowTcpForwarding to yes or remote" in failure["remedy"]

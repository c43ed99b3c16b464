"""Jump hosts: shared, chained, small, hanging and dying ones; two real sshds stand in between."""

from __future__ import annotations

import json
import time

import pytest

from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.support.fleet import Fleet
from tests.support.sshd import PORT, accepted, add_config, hang_up, known_line, now, odd_sshd

pytestmark = pytest.mark.e2e
MINE = "Host *\n    UserKnownHostsFile {folder}/known_hosts {lab}/known_hosts\n"


def behind(lab: Lab, fleet: Fleet, spec: str, names: tuple[str, ...]) -> None:
    """Let nodes be reached in one way alone, and every bastion be known on its odd port."""
    addresses = " ".join(lab.nodes[name].address for name in names)
    key = lab.ssh_config.parent / "key"
    odd = f"Host *\n    IdentityFile {key}\n    User ops\n"
    mine = MINE.format(folder=fleet.folder, lab=lab.ssh_config.parent)
    add_config(lab, fleet, f"Host {addresses}\n    {spec}\n{mine}{odd}")
    lines = [known_line(lab, name, f"[{node.address}]:{PORT}") for name, node in lab.nodes.items()]
    fleet.write("known_hosts", "".join(lines))


def twelve(lab: Lab, fleet: Fleet) -> None:
    """Write an inventory of twelve nodes; the lab has two addresses for them."""
    names = ("trixie1", "forky1")
    hosts = [f"    n{n}: {{host: {lab.nodes[names[n % 2]].address}}}" for n in range(12)]
    fleet.write("inventory.yaml", "\n".join(["all:", "  hosts:", *hosts, ""]))


def test_a_rollout_takes_one_connection_to_each_of_two_jump_hosts(nodes: Lab, fleet: Fleet) -> None:
    outer, inner = nodes.nodes["bullseye1"], nodes.nodes["bookworm1"]
    behind(nodes, fleet, f"ProxyJump {outer.address},{inner.address}", ("trixie1", "forky1"))
    since = {name: now(node) for name, node in nodes.nodes.items()}

    ran = fleet("rollout", "-y", "-l", "trixie1,forky1", "--batch", "2", "--json")

    assert statuses(ran.json) == dict.fromkeys(("trixie1", "forky1"), "converged"), ran.text
    assert len(accepted(outer, since["bullseye1"])) == 1
    assert accepted(inner, since["bookworm1"]) == [outer.address]
    for name in ("trixie1", "forky1"):
        assert set(accepted(nodes.nodes[name], since[name])) == {inner.address}


def test_twelve_nodes_pass_a_bastion_that_lets_one_connection_begin_at_a_time(
    nodes: Lab, fleet: Fleet
) -> None:
    bastion = nodes.nodes["bookworm1"]
    twelve(nodes, fleet)
    behind(nodes, fleet, f"ProxyJump {bastion.address}:{PORT}", ("trixie1", "forky1"))
    since = now(bastion)

    with odd_sshd(bastion, "MaxStartups=1"):
        ran = fleet("run", "--json", "--", "hostname")

    assert {each["code"] for each in ran.json["nodes"].values()} == {0}, ran.text
    assert len(ran.json["nodes"]) == 12
    assert len(accepted(bastion, since, "odd-sshd")) == 1


def test_a_proxy_command_that_opens_a_connection_for_every_node_is_not_started_too_often(
    nodes: Lab, fleet: Fleet
) -> None:
    bastion = nodes.nodes["bookworm1"]
    twelve(nodes, fleet)
    lab = nodes.ssh_config.parent
    proxy = (
        f"ssh -F {lab}/ssh_config -o UserKnownHostsFile={fleet.folder}/known_hosts"
        f" -p {PORT} -W %h:%p {bastion.address}"
    )
    behind(nodes, fleet, f"ProxyCommand {proxy}", ("trixie1", "forky1"))

    with odd_sshd(bastion, "MaxStartups=3:100:3"):
        ran = fleet("run", "--json", "--", "hostname")

    assert {each["code"] for each in ran.json["nodes"].values()} == {0}, ran.text


def test_a_jump_host_that_hangs_fails_its_nodes_in_time_and_no_others(
    nodes: Lab, fleet: Fleet
) -> None:
    bastion = nodes.nodes["bookworm1"]
    twelve(nodes, fleet)
    text = (fleet.folder / "inventory.yaml").read_text()
    fleet.write("inventory.yaml", f"{text}    free: {{host: {nodes.nodes['bullseye1'].address}}}\n")
    behind(nodes, fleet, f"ProxyJump {bastion.address}:{PORT}", ("trixie1", "forky1"))

    with odd_sshd(bastion):
        bastion.sh("systemctl kill -s STOP odd-sshd")
        began = time.monotonic()
        ran = fleet("run", "--json", "--connect-timeout", "2", "--", "hostname")
        took = time.monotonic() - began

    answers = ran.json["nodes"]
    assert answers.pop("free")["code"] == 0
    failures = [each["failure"] for each in answers.values()]
    assert {(each["kind"], each["step"]) for each in failures} == {("connect", "connect")}
    told = {each["message"] for each in failures}
    assert all(text.startswith("jump host ops@") for text in told), told
    assert took < 25  # one deadline for all of them, not one after another


def test_a_jump_host_that_dies_in_mid_rollout_is_opened_again_once_and_its_nodes_settle(
    nodes: Lab, fleet: Fleet
) -> None:
    bastion, names = nodes.nodes["bookworm1"], ("trixie1", "forky1")
    behind(nodes, fleet, f"ProxyJump {bastion.address}:{PORT}", names)
    since = now(bastion)
    before = {name: nodes.nodes[name].digests("/etc") for name in names}

    with odd_sshd(bastion):
        going = fleet.start("rollout", "-y", "-l", ",".join(names), "--batch", "2", "--json")
        nodes.nodes["trixie1"].sh("until [ -e /var/lib/fleet/pending ]; do sleep 0.02; done")
        hang_up(bastion)
        out, err = going.communicate(timeout=200)
        logins = len(accepted(bastion, since, "odd-sshd"))

    found = statuses(json.loads(out))
    assert set(found.values()) <= {"converged", "rolled_back"}, out + err
    assert logins == 2
    for name in names:
        same = nodes.nodes[name].digests("/etc") == before[name]
        assert same == (found[name] == "rolled_back")
        assert nodes.nodes[name].sh("ls /var/lib/fleet/pending", check=False).returncode == 2

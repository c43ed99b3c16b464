"""Addresses and host keys: IPv6, odd ports, hashed names, aliases, several files, authorities."""

from __future__ import annotations

import subprocess

import pytest

from tests.lab import Lab, network
from tests.support.fleet import Fleet
from tests.support.sshd import PORT, add_config, address6, known_line, odd_sshd

pytestmark = pytest.mark.e2e


def link_local(lab: Lab, name: str) -> str:
    """Return a node's link-local address with the scope that leads to it from here."""
    shown = lab.nodes[name].sh("ip -6 -o addr show dev host0 scope link").stdout
    return f"{shown.split()[3].split('/')[0]}%{network.BRIDGE}"


def test_every_way_to_write_a_node_and_its_key_leads_there(nodes: Lab, fleet: Fleet) -> None:
    scoped = link_local(nodes, "trixie1")
    forky = nodes.nodes["forky1"].address
    fleet.write(
        "inventory.yaml",
        f"""\
all:
  vars: {{user: ops, identity_file: {nodes.key}}}
  hosts:
    brackets: {{host: "[{address6(nodes, "trixie1")}]"}}
    scoped: {{host: "{scoped}"}}
    odd: {{host: {address6(nodes, "bookworm1")}, port: {PORT}}}
    hashed: {{host: {nodes.nodes["bullseye1"].address}}}
    alias: {{host: other.example}}
    behind6: {{host: "{address6(nodes, "forky1")}", jump: "ops@[{address6(nodes, "trixie1")}]:22"}}
""",
    )
    fleet.write(
        "mine",
        known_line(nodes, "trixie1", address6(nodes, "trixie1").upper().lower(), scoped)
        + known_line(nodes, "bookworm1", f"[{address6(nodes, 'bookworm1')}]:{PORT}")
        + known_line(nodes, "bullseye1", nodes.nodes["bullseye1"].address),
    )
    subprocess.run(("ssh-keygen", "-q", "-H", "-f", f"{fleet.folder}/mine"), check=True)
    assert "10.213" not in (fleet.folder / "mine").read_text()
    fleet.write(
        "other", known_line(nodes, "forky1", "the-fork", f"fd00:*:{forky.rsplit('.', 1)[1]}")
    )
    config = f"""\
Include {fleet.folder}/extra.conf
Host *
    User ops
    IdentityFile {nodes.key}
    UserKnownHostsFile {fleet.folder}/nothing {fleet.folder}/mine {fleet.folder}/other
"""
    fleet.write(
        "extra.conf", f"Host other.example\n    HostName {forky}\n    HostKeyAlias the-fork\n"
    )
    fleet.write("ssh_config", config)

    with odd_sshd(nodes.nodes["bookworm1"]):
        ran = fleet("run", "--json", "-F", "ssh_config", "--", "hostname")
        keys = fleet("hostkeys", "--json", "-F", "ssh_config")

    assert {name: each["output"] for name, each in ran.json["nodes"].items()} == {
        "brackets": "trixie1",
        "scoped": "trixie1",
        "odd": "bookworm1",
        "hashed": "bullseye1",
        "alias": "forky1",
        "behind6": "forky1",
    }
    assert keys.code == 0, keys.text
    shown = keys.json["nodes"]
    assert {each["state"] for each in shown.values()} == {"known"}
    assert shown["odd"]["name"] == f"[{address6(nodes, 'bookworm1')}]:{PORT}"
    assert [each["state"] for each in keys.json["jumps"].values()] == ["known"]


def test_hostkeys_adds_a_jump_host_first_and_then_the_nodes_behind_it(
    nodes: Lab, fleet: Fleet
) -> None:
    jump = nodes.nodes["bookworm1"].address
    text = f"Host *\n    UserKnownHostsFile {fleet.folder}/mine\nHost {jump}\n"
    add_config(nodes, fleet, f"{text}    Port {PORT}\n")
    fleet.edit("inventory.yaml", "forky1: {", f"forky1: {{jump: ops@{jump}, ")

    with odd_sshd(nodes.nodes["bookworm1"]):
        before = fleet("probe", "-l", "forky1", "--json")
        added = fleet("hostkeys", "-y", "-l", "forky1", "--json")
        after = fleet("probe", "-l", "forky1", "--json")

    failure = before.json["nodes"]["forky1"]["failure"]
    assert failure["kind"] == "host_key"
    assert failure["evidence"].startswith("ssh-ed25519 SHA256:")
    assert f"ops@{jump}:{PORT}: unknown host key" in failure["message"]
    assert added.json["jumps"][f"ops@{jump}:{PORT}"]["added"] is True
    assert added.json["nodes"]["forky1"]["added"] is True
    assert (added.code, after.code) == (0, 0), added.text + after.text
    lines = (fleet.folder / "mine").read_text().splitlines()
    assert [line.split()[0] for line in lines] == [
        f"[{jump}]:{PORT}",
        nodes.nodes["forky1"].address,
    ]


def test_a_node_that_a_certificate_authority_alone_vouches_for_is_told_so(
    nodes: Lab, fleet: Fleet
) -> None:
    authority = known_line(nodes, "bullseye1", "*")
    revoked = known_line(nodes, "trixie1", nodes.nodes["trixie1"].address)
    fleet.write("mine", f"@cert-authority {authority}@revoked {revoked}")
    add_config(nodes, fleet, f"Host *\n    UserKnownHostsFile {fleet.folder}/mine")

    ran = fleet("probe", "-l", "trixie1,forky1", "--json")

    told = {name: each["failure"]["message"] for name, each in ran.json["nodes"].items()}
    assert f"{fleet.folder}/mine:1 trusts " in told["forky1"]
    assert "cannot check host certificates" in told["forky1"]
    assert f"is revoked ({fleet.folder}/mine:2)" in told["trixie1"]

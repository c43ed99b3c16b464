"""Users of a node who may not become root, while an administrator works there: they gain nothing.

The race goes on while each command that root has a part in runs once. With FLEET_RACE_SECONDS they
run again until that time is over; a release is tried with 120.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.lab.node import LabNode
from tests.support.fleet import Fleet

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("crictl")]
SECONDS = float(os.environ.get("FLEET_RACE_SECONDS", "0"))
ATTACKER = Path(__file__).parents[1] / "support" / "attacker.pl"
NEEDLE = "rolled-out-secret-7351"
"""A registry's password: it stands in the files that are rolled out, and nowhere else."""
CONFIGS = f"configs:\n  dockerproxy.com:\n    auth: {{username: robot, password: {NEEDLE}}}\n"
PLANTED = ("sudo", "timeout", "sh", "cat", "sha256sum", "stat", "ctr", "id", "env", "true")
MAKE = """
id eve >/dev/null 2>&1 || useradd -m -s /bin/bash eve
printf '%s\\n' 'pat ALL=(ALL) ALL' 'Defaults:pat !secure_path' >/etc/sudoers.d/pat
mkdir -p /home/pat/bin
for each in PROGRAMS; do
    printf '#!/bin/sh\\nPATH=/usr/bin:/bin\\n[ "$(id -u)" != 0 ] || touch /etc/profile.d/owned\\n' \
        >/home/pat/bin/$each
    printf 'exec %s "$@"\\n' "$(command -v $each)" >>/home/pat/bin/$each
done
chmod 755 /home/pat/bin/*
chown -R pat /home/pat/bin
cp ~pat/.bashrc /root/bashrc
sed -i '1i export PATH=$HOME/bin:$PATH' ~pat/.bashrc
mkdir -m 777 /loot
""".replace("PROGRAMS", " ".join(PLANTED))
CLEAN = """
systemctl stop race-pat race-eve
cp /root/bashrc ~pat/.bashrc
printf '%s\\n' 'pat ALL=(ALL) ALL' >/etc/sudoers.d/pat
rm -rf /needles /attacker.pl /home/pat/bin /home/pat/certs.d /loot /etc/profile.d/owned
"""
ROOTS = "stat -c '%n %a %u %g' /etc/shadow /etc/profile.d; sha256sum /etc/shadow; ls /etc/profile.d"
SPOILS = (
    "find /tmp /home /loot -xdev -user root ! -path '/home/*/.ssh*' ! -path /tmp"
    " -newer /loot ! -path '/home/pat' ! -path /home ! -name 'systemd-private*' ! -path '*/tmp';"
    " cat /loot/loot 2>/dev/null; ls -d /tmp/fleet* /run/fleet-* 2>/dev/null"
)


@contextmanager
def racing(node: LabNode, needles: tuple[str, ...]) -> Iterator[None]:
    """Let the login user itself and another one attack a node until they are stopped."""
    node.sh(MAKE)
    (node.root / "attacker.pl").write_text(ATTACKER.read_text())
    (node.root / "needles").write_text("".join(f"{each}\n" for each in needles))
    for user in ("pat", "eve"):
        words = f"{SECONDS + 250:.0f} /loot/loot /needles"
        node.sh(
            f"systemd-run -q --collect --unit race-{user} --uid {user} -E HOME=/home/{user}"
            f" -p StandardOutput=truncate:/run/race-{user} /usr/bin/perl /attacker.pl {words}"
        )
    try:
        yield
    finally:
        node.sh(CLEAN, check=False)


def test_a_race_against_all_that_root_does_gains_nothing(nodes: Lab, fleet: Fleet) -> None:
    """The node has no crictl, so that CRI is led to fleet itself as well."""
    trixie = nodes.nodes["trixie1"]
    trixie.sh("mv /usr/local/bin/crictl /run/lab-crictl")
    fleet.edit("inventory.yaml", "trixie1: {", "trixie1: {user: pat, ")
    fleet.write("mirrors.yaml", (fleet.folder / "mirrors.yaml").read_text() + CONFIGS)
    turns = (
        ("rollout", "-y", "--soak", "0"),
        ("verify",),
        ("verify", "--self-contained"),
        ("mirrors", "test", "--timeout", "1"),
        ("rollback", "-y", "--soak", "0"),
    )
    ended: list[tuple[str, int]] = []
    with racing(trixie, (NEEDLE, nodes.password)):
        before = trixie.sh(ROOTS).stdout
        began = time.monotonic()
        while time.monotonic() - began < SECONDS or len(ended) < len(turns):
            words = turns[len(ended) % len(turns)]
            ran = fleet(*words, "-l", "trixie1", "-K", "--json", stdin=f"{nodes.password}\n")
            ended.append((" ".join(words[:2]), ran.code))
        trixie.sh("systemctl stop race-pat race-eve")
        took = time.monotonic() - began
        after = trixie.sh(ROOTS).stdout
        spoils = trixie.sh(SPOILS, check=False).stdout
        attacks = trixie.sh("cat /run/race-pat /run/race-eve").stdout

    rounds = [int(each) for each in re.findall(r"(\d+) rounds", attacks)]
    assert len(rounds) == 2, attacks
    assert min(rounds) > 10 * took, attacks
    assert (after, spoils) == (before, ""), attacks
    assert {code for name, code in ended if name != "mirrors test"} == {0}, ended


SEEN_BY_OTHERS = (
    "su eve -s /bin/sh -c 'grep -rl NEEDLE /tmp /var/tmp /run /home /var/lib/fleet 2>/dev/null'"
)


def test_what_a_killed_fleet_leaves_is_root_s_alone_and_goes_with_the_next_run(
    nodes: Lab, fleet: Fleet
) -> None:
    trixie = nodes.nodes["trixie1"]
    trixie.sh("id eve >/dev/null 2>&1 || useradd -m eve")
    fleet.write("mirrors.yaml", (fleet.folder / "mirrors.yaml").read_text() + CONFIGS)
    going = fleet.start("rollout", "-y", "-l", "trixie1", "--json")
    trixie.sh("until [ -e /run/fleet/stage-*/bundle ]; do sleep 0.02; done")
    going.kill()
    going.communicate()
    held = trixie.sh("while read -r id; do break; done </run/fleet/lock; echo $id").stdout.strip()
    seen = trixie.sh(SEEN_BY_OTHERS.replace("NEEDLE", NEEDLE), check=False).stdout
    killed = trixie.sh("sh -c 'echo $$'").stdout.strip()
    trixie.sh(f"mkdir -p /run/fleet/stage-old /run/fleet/verify-trixie1-{killed}")

    freed = fleet("unlock", held, "-y", "-l", "trixie1")
    again = fleet("rollout", "-y", "-l", "trixie1", "--soak", "0", "--json")
    left = trixie.sh("ls /run/fleet; ls -d /tmp/fleet*", check=False).stdout.split()

    assert seen == ""
    assert freed.code == 0, freed.text
    assert statuses(again.json) == {"trixie1": "converged"}, again.text
    assert [each for each in left if each != "mutex"] == []


def test_root_does_not_write_where_another_user_may_move_things(nodes: Lab, fleet: Fleet) -> None:
    trixie = nodes.nodes["trixie1"]
    trixie.sh(
        "mkdir -p /home/pat/certs.d; chown pat /home/pat/certs.d;"
        ' sed -i \'s#config_path = "[^"]*"##\' /etc/containerd/config.toml;'
        ' printf \'[plugins."io.containerd.grpc.v1.cri".registry]\\n'
        'config_path = "/home/pat/certs.d"\\n\' >>/etc/containerd/config.toml;'
        " systemctl restart containerd"
    )
    try:
        ran = fleet("rollout", "-y", "-l", "trixie1", "--json")
        asked = fleet("verify", "-l", "trixie1", "--json")
        tested = fleet("verify", "--self-contained", "-l", "trixie1", "--json")
        left = trixie.sh("ls -A /home/pat/certs.d").stdout
    finally:
        trixie.sh("rm -rf /home/pat/certs.d")

    failure = ran.json["nodes"]["trixie1"]["failure"]
    assert statuses(ran.json) == {"trixie1": "failed"}, ran.text
    assert failure["message"].startswith("/home/pat is writable for users other than root")
    assert asked.json["nodes"]["trixie1"]["liveness"]["state"] == "unchecked", asked.text
    assert "is writable for users other than root" in tested.text
    assert left == ""


PLANT = """
id eve >/dev/null 2>&1 || useradd -m eve
rm -rf /run/fleet /var/lib/fleet
mkdir /run/fleet /var/lib/fleet
chown OWNER /run/fleet /var/lib/fleet
chmod MODE /run/fleet /var/lib/fleet
echo precious >/etc/victim
su eve -s /bin/sh -c 'cd /run/fleet && ln -s /etc/victim mutex && ln -s /etc/shadow lock
cd /var/lib/fleet && mkdir pending && echo evil-1 >pending/id && echo armed >pending/phase
echo "touch /etc/profile.d/owned" >pending/guard.sh'
"""
FOREIGN = {
    "a user's": ("eve", "755", (("locks",), ("probe",), ("unlock", "evil-1", "-y"))),
    "a group's": ("root:eve", "775", (("unlock", "evil-1", "-y"), ("verify",), ("rollout", "-y"))),
}


@pytest.mark.parametrize(("owner", "mode", "commands"), FOREIGN.values(), ids=FOREIGN)
def test_folders_of_fleet_s_that_another_user_can_change_are_not_used(
    nodes: Lab, fleet: Fleet, owner: str, mode: str, commands: tuple[tuple[str, ...], ...]
) -> None:
    """A service of the same name may have made them (RuntimeDirectory=, StateDirectory=)."""
    trixie = nodes.nodes["trixie1"]
    trixie.sh(PLANT.replace("OWNER", owner).replace("MODE", mode))
    try:
        ended = {words: fleet(*words, "-l", "trixie1", "--json") for words in commands}
        spoils = trixie.sh("cat /etc/victim; ls /etc/profile.d/owned", check=False).stdout
    finally:
        trixie.sh("rm -rf /run/fleet /var/lib/fleet /etc/profile.d/owned /etc/victim")

    told = "fleet is writable for users other than root"
    assert {words: told in ran.text for words, ran in ended.items()} == dict.fromkeys(ended, True)
    assert "root:" not in "".join(ran.text for ran in ended.values())
    assert spoils == "precious\n"
    states = [ran.json["nodes"]["trixie1"].get("state") for ran in ended.values()]
    assert "unreachable" not in states

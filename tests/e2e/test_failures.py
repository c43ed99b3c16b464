"""What goes wrong on real nodes: each ends as a failure with kind, step and what to do."""

from __future__ import annotations

import pytest

from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.support.fleet import Fleet, main_pid

pytestmark = pytest.mark.e2e
OTHERS = ("bullseye1", "bookworm1", "forky1")


def failure_of(document: dict, name: str = "trixie1") -> tuple[str, str, str]:
    """Return the kind, the step and the text of a node's failure, which has a remedy."""
    failure = document["nodes"][name]["failure"]
    assert failure["remedy"], failure
    return failure["kind"], failure["step"], f"{failure['message']}; {failure['remedy']}"


def test_a_config_that_is_broken_by_hand_is_told_and_not_made_worse(
    nodes: Lab, fleet: Fleet
) -> None:
    trixie = nodes.nodes["trixie1"]
    trixie.sh("echo 'this is [no toml' >>/etc/containerd/config.toml")
    before = trixie.digests("/etc", "/var/lib")

    probe = fleet("probe", "--json")
    diff = fleet("diff")
    ran = fleet("rollout", "-y", "--batch", "4", "--max-failures", "1", "--json")

    assert probe.json["nodes"]["trixie1"]["state"] == "conflict"
    assert "config.toml is not valid TOML" in diff.stdout
    assert "at line 10" in diff.stdout
    assert diff.code == 1
    assert (ran.code, failure_of(ran.json)[:2]) == (1, ("conflict", "plan"))
    assert statuses(ran.json) == {**dict.fromkeys(OTHERS, "converged"), "trixie1": "failed"}
    assert trixie.digests("/etc", "/var/lib") == before


def test_an_unknown_host_key_is_refused(nodes: Lab, fleet: Fleet) -> None:
    known = (nodes.ssh_config.parent / "known_hosts").read_text().splitlines()
    fleet.write("known_hosts", "\n".join(each for each in known if "trixie1" not in each) + "\n")
    config = nodes.ssh_config.read_text()
    mine = config.replace(
        str(nodes.ssh_config.parent / "known_hosts"), f"{fleet.folder}/known_hosts"
    )
    fleet.write("ssh_config", mine)

    flags = ("rollout", "-y", "--batch", "4", "--json", "-F", "ssh_config")
    strict = fleet(*flags, "--skip-unreachable")
    ran = fleet(*flags, "--max-failures", "1")
    probe = fleet("probe", "-l", "trixie1", "--json", "-F", "ssh_config")

    assert (strict.code, statuses(strict.json)["trixie1"]) == (3, "no_access")
    assert probe.json["nodes"]["trixie1"]["state"] == "no access"
    kind, step, message = failure_of(ran.json)
    assert (ran.code, kind, step) == (1, "host_key", "connect")
    assert message.startswith("unknown host key; ")
    assert f"add it to {fleet.folder}/known_hosts" in message
    assert statuses(ran.json) == {**dict.fromkeys(OTHERS, "converged"), "trixie1": "no_access"}


def test_a_changed_host_key_is_refused(nodes: Lab, fleet: Fleet) -> None:
    known = (nodes.ssh_config.parent / "known_hosts").read_text()
    keys = {line.split()[0].split(",")[0]: line.split()[2] for line in known.splitlines()}
    fleet.write("known_hosts", known.replace(keys["trixie1"], keys["forky1"]))
    config = nodes.ssh_config.read_text()
    mine = config.replace(
        str(nodes.ssh_config.parent / "known_hosts"), f"{fleet.folder}/known_hosts"
    )
    fleet.write("ssh_config", mine)

    ran = fleet("probe", "--json", "-F", "ssh_config", "-l", "trixie1")

    node = ran.json["nodes"]["trixie1"]
    assert (ran.code, node["state"], node["failure"]["kind"]) == (1, "no access", "host_key")
    assert "CHANGED" in node["failure"]["message"]


def test_a_jump_host_is_used_and_its_key_is_checked(nodes: Lab, fleet: Fleet) -> None:
    jump = nodes.nodes["bullseye1"].address
    fleet.edit("inventory.yaml", "trixie1: {", f"trixie1: {{jump: ops@{jump}, ")
    began = nodes.nodes["trixie1"].sh("date +'%F %T'").stdout.strip()
    known = (nodes.ssh_config.parent / "known_hosts").read_text().splitlines()
    without = "\n".join(line for line in known if "bullseye1" not in line) + "\n"
    mine = nodes.ssh_config.read_text().replace(
        f"{nodes.ssh_config.parent}/known_hosts", f"{fleet.folder}/known_hosts"
    )
    fleet.write("known_hosts", without)
    fleet.write("ssh_config", mine)

    through = fleet("probe", "-l", "trixie1", "--json")
    refused = fleet("probe", "-l", "trixie1", "--json", "-F", "ssh_config")

    assert through.code == 0, through.text
    log = nodes.nodes["trixie1"].sh(f"journalctl -u ssh --since '{began}' -o cat").stdout
    assert f"Accepted publickey for ops from {jump}" in log
    failure = refused.json["nodes"]["trixie1"]["failure"]
    assert failure["kind"] == "host_key"
    assert jump in failure["message"]


def test_a_wrong_sudo_password_is_told(nodes: Lab, fleet: Fleet) -> None:
    fleet.edit("inventory.yaml", "trixie1: {", "trixie1: {user: pat, ")
    flags = ("rollout", "-y", "--batch", "4", "--max-failures", "1", "--json")

    wrong = fleet(*flags, "-K", stdin="not-the-password\n")
    missing = fleet(*flags)

    kind, step, message = failure_of(wrong.json)
    assert (wrong.code, kind, step) == (1, "sudo", "probe")
    assert "wrong sudo password" in message
    assert statuses(wrong.json) == {**dict.fromkeys(OTHERS, "converged"), "trixie1": "no_access"}
    assert failure_of(missing.json)[0] == "sudo"
    assert "-K" in failure_of(missing.json)[2]
    assert "not-the-password" not in wrong.text


def test_a_node_that_is_down_holds_nobody_up(nodes: Lab, fleet: Fleet) -> None:
    nodes.nodes["trixie1"].cut()
    try:
        flags = ("--batch", "4", "--connect-timeout", "2", "--json")
        strict = fleet("rollout", "-y", *flags)
        skipping = fleet("rollout", "-y", "--skip-unreachable", *flags)
    finally:
        nodes.nodes["trixie1"].heal()

    assert (strict.code, strict.json["status"]) == (3, "halted")
    assert statuses(strict.json) == {**dict.fromkeys(OTHERS, "pending"), "trixie1": "unreachable"}
    assert (skipping.code, failure_of(skipping.json)[:2]) == (1, ("connect", "connect"))
    assert statuses(skipping.json) == {
        **dict.fromkeys(OTHERS, "converged"),
        "trixie1": "unreachable",
    }


@pytest.mark.parametrize("place", ["/var/lib/fleet", "/run/fleet", "/etc/containerd"])
def test_a_full_disk_leaves_the_node_as_it_was(nodes: Lab, fleet: Fleet, place: str) -> None:
    trixie = nodes.nodes["trixie1"]
    aside = "cp -a /etc/containerd /run/aside"
    mount = "mount -t tmpfs -o mode=755,size=64k"
    fill = f"{mount},nr_inodes=200 tmpfs {place}; cp -a /run/aside/. {place}/"
    if place != "/etc/containerd":
        fill = f"mkdir -p {place}; {mount} tmpfs {place}"
    stuff = f"dd if=/dev/zero of={place}/stuffing bs=512 2>/dev/null || true"
    trixie.sh(f"rm -rf /run/aside; {aside}; {fill}; {stuff}")
    before = trixie.digests("/etc")
    pid = main_pid(nodes, "trixie1")
    try:
        flags = ("--batch", "4", "--max-failures", "1", "--json")
        ran = fleet("rollout", "-y", *flags)
        after = trixie.digests("/etc")
    finally:
        trixie.sh(f"umount {place}; rm -rf /run/aside")

    kind, step, message = failure_of(ran.json)
    assert kind in {"storage", "upload"}, ran.text
    assert step in {"keep", "arm", "stage", "upload", "lock"}
    assert "full" in message or "space" in message
    assert (ran.code, statuses(ran.json)["trixie1"]) == (1, "failed")
    assert [statuses(ran.json)[name] for name in OTHERS] == ["converged"] * 3
    assert after == before
    assert main_pid(nodes, "trixie1") == pid


TRAP = """
mkdir -p /etc/systemd/system/containerd.service.d
cat >/etc/systemd/system/containerd.service.d/trap.conf <<'EOF'
[Service]
ExecStartPre=/bin/sh /run/trap.sh
EOF
cat >/run/trap.sh <<'EOF'
if grep -q config_path /etc/containerd/config.toml; then
    TRAPPED
else
    UNTRAPPED
fi
EOF
: >/etc/containerd/extra.toml
printf 'imports = ["/etc/containerd/extra.toml"]\\n' | cat - /etc/containerd/config.toml >/run/new
cat /run/new >/etc/containerd/config.toml
systemctl daemon-reload
systemctl restart containerd
"""
MIRRORS = (
    '[plugins."io.containerd.grpc.v1.cri".registry.mirrors."x.example"]\\nendpoint=["https://x"]\\n'
)


def trap(trapped: str, untrapped: str = "exit 0") -> str:
    """Return a script that plants a unit which misbehaves once fleet has set config_path."""
    return TRAP.replace("UNTRAPPED", untrapped).replace("TRAPPED", trapped)


def test_an_active_unit_with_a_dead_cri_plugin_fails_the_gate(nodes: Lab, fleet: Fleet) -> None:
    forky = nodes.nodes["forky1"]
    spoil = f"printf 'version = 2\\n{MIRRORS}' >/etc/containerd/extra.toml"
    forky.sh(trap(spoil, ": >/etc/containerd/extra.toml"))
    before = forky.digests("/etc")

    ran = fleet("rollout", "-y", "-l", "forky1", "--health-timeout", "3", "--json")

    kind, step, message = failure_of(ran.json, "forky1")
    assert (ran.code, kind, step) == (3, "health", "health"), ran.text
    assert "CRI plugin is not ok, although the unit is active" in message
    evidence = ran.json["nodes"]["forky1"]["failure"]["evidence"]
    assert "cannot be set when `config_path` is provided" in evidence
    assert statuses(ran.json) == {"forky1": "rolled_back"}
    assert forky.digests("/etc") == before
    assert "ok" in forky.sh("ctr plugins ls id==cri").stdout


def test_a_daemon_that_does_not_start_is_taken_back(nodes: Lab, fleet: Fleet) -> None:
    trixie = nodes.nodes["trixie1"]
    trixie.sh(trap("exit 1"))
    before = trixie.digests("/etc")

    ran = fleet("rollout", "-y", "-l", "trixie1", "--json")

    assert (ran.code, failure_of(ran.json)[:2]) == (3, ("restart", "restart")), ran.text
    assert statuses(ran.json) == {"trixie1": "rolled_back"}
    assert trixie.digests("/etc") == before
    assert trixie.sh("systemctl is-active containerd").stdout.strip() == "active"


def test_a_daemon_that_dies_after_its_gate_is_taken_back(nodes: Lab, fleet: Fleet) -> None:
    trixie = nodes.nodes["trixie1"]
    # What was killed starts again, trapped again: the last kill must not hit the old config.
    trapped = "grep -q config_path /etc/containerd/config.toml"
    kill = f"{trapped} && systemctl kill -s KILL containerd"
    trixie.sh(trap(f"systemd-run -q --no-block /bin/sh -c 'sleep 4; {kill}'"))
    before = trixie.digests("/etc")

    ran = fleet("rollout", "-y", "-l", "trixie1", "--json")

    assert failure_of(ran.json)[:2] == ("health", "soak"), ran.text
    assert statuses(ran.json) == {"trixie1": "rolled_back"}
    assert trixie.digests("/etc") == before


def test_a_connection_that_breaks_in_mid_pass_is_settled_over_a_new_one(
    nodes: Lab, fleet: Fleet
) -> None:
    trixie = nodes.nodes["trixie1"]
    main = "$(systemctl show ssh -p MainPID --value)"
    one = f"case $(cat $each/comm) in sshd*) [ $each = /proc/{main} ] || kill -9 ${{each#/proc/}}"
    cut = f"for each in /proc/[0-9]*; do {one} ;; esac; done"
    trixie.sh(trap(f"{cut}; sleep 1"))
    before = trixie.digests("/etc")

    ran = fleet("rollout", "-y", "-l", "trixie1", "--json")

    status = statuses(ran.json)["trixie1"]  # with the connection its sudo may go, in mid-pass
    assert status in {"converged", "rolled_back"}, ran.text
    assert (trixie.digests("/etc") == before) == (status == "rolled_back")
    differs = fleet("diff", "-l", "trixie1", "--exit-code").code
    assert differs == (0 if status == "converged" else 4)
    assert trixie.sh("ls /var/lib/fleet/pending", check=False).returncode == 2
    assert trixie.sh("ctr plugins ls id==cri").stdout.split()[-1] == "ok"


def test_a_node_that_another_rollout_holds_is_left_alone(nodes: Lab, fleet: Fleet) -> None:
    """A lock outlives its run: it is never broken by age."""
    trixie = nodes.nodes["trixie1"]
    note = "20260101-000000-aaaa\\neve@elsewhere\\nrollback\\n2026-01-01T00:00:00Z\\n1.5\\n"
    trixie.sh(f"mkdir -p /run/fleet; printf '{note}' >/run/fleet/lock")
    before = trixie.digests("/etc")

    held = fleet("rollout", "-y", "-l", "trixie1", "--json")
    message = failure_of(held.json)[2]
    after = trixie.digests("/etc")
    trixie.sh("rm /run/fleet/lock")
    free = fleet("rollout", "-y", "-l", "trixie1", "--json")

    assert (held.code, failure_of(held.json)[0]) == (3, "locked")
    assert "held by rollback 20260101-000000-aaaa of eve@elsewhere since 2026-01-01" in message
    assert statuses(held.json) == {"trixie1": "failed"}
    assert after == before
    assert free.code == 0, free.text


def test_what_a_node_says_cannot_steer_the_terminal(nodes: Lab, fleet: Fleet) -> None:
    trixie = nodes.nodes["trixie1"]
    escape = "\\033]0;owned\\007\\033[31m"
    trixie.sh(
        "cp /etc/os-release /run/aside; rm /etc/os-release; cp /run/aside /etc/os-release;"
        f" printf 'PRETTY_NAME=\"{escape}evil\"\\n' >>/etc/os-release"
    )
    trixie.sh("sed -i '1i version = 2 # \\x1b[31m' /etc/containerd/config.toml")
    trixie.sh("sed -i '2d' /etc/containerd/config.toml")
    try:
        commands = (("probe", "-o", "wide"), ("diff",), ("rollout", "-y"))
        shown = [fleet(*words, "-l", "trixie1").text for words in commands]
    finally:
        trixie.sh("cp /run/aside /etc/os-release")

    assert all("\x1b" not in text and "\x07" not in text for text in shown)
    assert "\\x1b]0;owned" in shown[0]

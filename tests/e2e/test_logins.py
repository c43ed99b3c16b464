"""Logins as they are found: shells, sudo and sshd; each works, or is named for what it is."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.test_rollout import statuses
from tests.lab import Lab
from tests.lab.node import LabNode
from tests.lab.packages import package
from tests.support.fleet import Fleet
from tests.support.sshd import PORT, add_config, known_line, odd_sshd

pytestmark = pytest.mark.e2e
NAME = "trixie1"
KEEP = "cp -a /usr/bin/sudo /root/sudo; cp -a /etc/sudoers.d/pat /etc/passwd /etc/shadow /root/"
BACK = """
rm -rf /etc/nologin /var/log/sudo-io
[ ! -e /root/timeout ] || mv /root/timeout /usr/bin/timeout
for each in sudo:/usr/bin pat:/etc/sudoers.d passwd:/etc shadow:/etc; do
    cp -a --remove-destination "/root/${each%:*}" "${each#*:}/"
done
sed -i '/exit 1/d; /^cat >/d' ~pat/.bashrc
"""
POLICY = "printf '%s\\n' '{}' >/etc/sudoers.d/pat"
EVERYTHING = "pat ALL=(ALL) NOPASSWD: ALL"


@contextmanager
def changed(node: LabNode, script: str) -> Iterator[None]:
    """Change a node's logins for a while."""
    node.sh(KEEP)
    try:
        node.sh(script)
        yield
    finally:
        node.sh(BACK)


@pytest.fixture
def pat(lab: Lab, fleet: Fleet) -> LabNode:
    """Return a node whose login is a user that sudo asks for a password."""
    fleet.edit("inventory.yaml", f"{NAME}: {{", f"{NAME}: {{user: pat, ")
    return lab.nodes[NAME]


def install(node: LabNode, *names: str) -> None:
    for name in names:
        shutil.copy(package("trixie", name), node.root / "root" / f"{name}.deb")
    files = " ".join(f"/root/{name}.deb" for name in names)
    node.sh(f"dpkg -i --force-depends {files} && rm {files}")


def whoami(fleet: Fleet, password: str = "") -> str:
    """Return who a command runs as, or why it does not run."""
    words = ("run", "-l", NAME, "--json", *(("-K",) if password else ()), "--", "id -un")
    ran = fleet(*words, stdin=f"{password}\n" if password else "").json["nodes"][NAME]
    return str(ran["output"] if ran.get("failure") is None else ran["failure"]["message"])


def test_csh_tcsh_and_fish_start_scripts_with_a_password_and_without(
    lab: Lab, fleet: Fleet, pat: LabNode
) -> None:
    install(pat, "csh", "tcsh", "fish-common", "libpcre2-32-0", "fish")
    found = {}
    with changed(pat, "true"):
        for shell in ("/bin/bsd-csh", "/bin/tcsh", "/usr/bin/fish"):
            pat.sh(f"usermod -s {shell} pat")
            found[shell] = (whoami(fleet, lab.password), whoami(fleet))

    assert {each[0] for each in found.values()} == {"root"}, found
    assert all(each[1].startswith("sudo asks for a password") for each in found.values()), found


def test_sudo_rs_takes_the_right_password_and_refuses_a_wrong_one(
    lab: Lab, fleet: Fleet, pat: LabNode
) -> None:
    install(pat, "sudo-rs")
    with changed(pat, "cp -a --remove-destination /usr/lib/cargo/bin/sudo /usr/bin/sudo"):
        right, wrong, none = whoami(fleet, lab.password), whoami(fleet, "wrong"), whoami(fleet)

    assert right == "root"
    assert wrong.startswith(f"wrong sudo password (tested on {NAME} only)")
    assert none.startswith("sudo asks for a password")


def test_the_input_log_of_sudo_never_holds_the_password(
    lab: Lab, fleet: Fleet, pat: LabNode
) -> None:
    logged = "Defaults log_input, log_output\n"
    kept = "find /var/log/sudo-io -type f -exec zcat -f {} +"
    texts, users = [], []
    for rule in (EVERYTHING, "pat ALL=(ALL) ALL"):
        with changed(pat, POLICY.format(logged + rule)):
            users.append(whoami(fleet, lab.password))
            assert fleet("probe", "-l", NAME, "-K", stdin=f"{lab.password}\n").code == 0
            texts.append(pat.sh(kept).stdout)

    assert users == ["root", "root"]
    for text in texts:
        assert "protocol_begin()" in text  # the scripts are in it, so the log was read
        assert lab.password not in text


LOGINS = {
    "requiretty": (
        POLICY.format(f"Defaults:pat requiretty\n{EVERYTHING}"),
        "sudo asks for a terminal",
    ),
    "some commands only": (
        POLICY.format("pat ALL=(root) NOPASSWD: /usr/bin/systemctl"),
        "sudo allows the login user some commands, but not",
    ),
    "no sudo": ("rm /usr/bin/sudo", "sudo is not installed on this node"),
    "no timeout": (
        f"mv /usr/bin/timeout /root/timeout; {POLICY.format(EVERYTHING)}",
        "sudo does not find the command `timeout`",
    ),
    "a startup file that exits": (
        "sed -i '1i exit 1' ~pat/.bashrc",
        "the login shell exited with 1 before it ran a command",
    ),
    "a startup file that reads the input": (
        f"{POLICY.format(EVERYTHING)}; sed -i '1i cat >/dev/null' ~pat/.bashrc",
        "the script did not start: a startup file of the login",
    ),
    "nologin": ("usermod -s /usr/sbin/nologin pat", "the login user has no shell (nologin)"),
    "an expired password": ("chage -d 0 pat", "the login user's password or account has expired"),
    "an expired account": ("chage -E 0 pat", "Your account has expired"),
    "closed to all logins": ("echo at work until noon >/etc/nologin", "at work until noon"),
}


def test_each_login_that_fails_is_named_for_what_it_is(
    lab: Lab, fleet: Fleet, pat: LabNode
) -> None:
    told = {}
    for name, (script, _) in LOGINS.items():
        with changed(pat, script):
            told[name] = whoami(fleet)

    missing = {name: told[name] for name, (_, words) in LOGINS.items() if words not in told[name]}
    assert missing == {}
    assert not [text for text in told.values() if "wrong sudo password" in text]


LISTED = {
    "some commands only": ("pat ALL=(root) /usr/bin/systemctl", "some commands, but not"),
    "none": ("# none", "the login user may not use sudo"),
    "requiretty": ("Defaults:pat requiretty\npat ALL=(ALL) ALL", "sudo asks for a terminal"),
}


def test_a_right_password_is_never_called_refused(lab: Lab, fleet: Fleet, pat: LabNode) -> None:
    told = {}
    for name, (rule, _) in LISTED.items():
        with changed(pat, POLICY.format(rule)):
            told[name] = whoami(fleet, lab.password)

    missing = {name: told[name] for name, (_, words) in LISTED.items() if words not in told[name]}
    assert missing == {}


SSHDS = {
    "no sessions": ("MaxSessions=0", "refuses a session to this user"),
    "key exchange": (
        "KexAlgorithms=diffie-hellman-group1-sha1",
        "no KexAlgorithms in common",
    ),
    "ciphers": ("Ciphers=aes128-cbc", "it has aes128-cbc, fleet has aes128-gcm@openssh.com"),
}


def test_an_sshd_that_we_do_not_get_along_with_says_why(
    lab: Lab, fleet: Fleet, pat: LabNode, tmp_path: Path
) -> None:
    fleet.edit("inventory.yaml", f"{NAME}: {{", f"{NAME}: {{port: {PORT}, ")
    fleet.write("known_hosts", known_line(lab, NAME, f"[{pat.address}]:{PORT}"))
    add_config(lab, fleet, f"Host *\n    UserKnownHostsFile {fleet.folder}/known_hosts")
    told = {}
    for name, (option, _) in SSHDS.items():
        with odd_sshd(pat, option):
            told[name] = whoami(fleet)

    missing = {name: told[name] for name, (_, words) in SSHDS.items() if words not in told[name]}
    assert missing == {}


def test_a_certificate_that_has_expired_is_told(
    lab: Lab, fleet: Fleet, pat: LabNode, tmp_path: Path
) -> None:
    key = tmp_path / "signed"
    for path in (key, tmp_path / "ca"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    call = ["ssh-keygen", "-q", "-s", tmp_path / "ca", "-I", "me", "-n", "pat"]
    subprocess.run([*call, "-V", "20200101:20200201", f"{key}.pub"], check=True)
    fleet.edit("inventory.yaml", f"{NAME}: {{", f"{NAME}: {{identity_file: {key}, ")
    config = lab.ssh_config.read_text().replace(f"{lab.ssh_config.parent}/key", str(key))
    fleet.write("ssh_config", config)
    object.__setattr__(fleet, "ssh_config", str(fleet.folder / "ssh_config"))

    told = whoami(fleet)

    assert "its certificate expired at 2020-0" in told, told


BARE = """
sed -i '1i echo welcome' ~ops/.bashrc
cp /etc/ssh/sshd_config /run/aside
sed -i '/^Subsystem/d' /etc/ssh/sshd_config
systemctl reload ssh
mount -t tmpfs -o ro tmpfs /tmp
"""
BARE_BACK = """
umount /tmp
cp /run/aside /etc/ssh/sshd_config
systemctl reload ssh
sed -i 1d ~ops/.bashrc
"""


def test_no_sftp_no_place_in_tmp_and_a_login_that_prints_hinder_no_rollout(
    nodes: Lab, fleet: Fleet
) -> None:
    trixie = nodes.nodes["trixie1"]
    trixie.sh(BARE)
    try:
        ran = fleet("rollout", "-y", "-l", "trixie1", "--soak", "0", "--json")
    finally:
        trixie.sh(BARE_BACK)

    assert statuses(ran.json) == {"trixie1": "converged"}, ran.text

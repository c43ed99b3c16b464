"""Keys and passwords: agents, encrypted keys, sshds without keys, a sudo password tried once."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import Lab
from tests.support.fleet import Fleet
from tests.support.sshd import PORT, accepted, add_config, known_line, now, odd_sshd, said

pytestmark = pytest.mark.e2e
NAMES = ("bookworm1", "trixie1")
PASSPHRASE = "correct horse"
ALONE = {"SSH_AUTH_SOCK": "", "SSH_ASKPASS": "", "DISPLAY": ""}


def keygen(path: Path, passphrase: str = "", kind: str = "ed25519") -> Path:
    words = ("ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", str(path))
    subprocess.run(words, check=True)
    return path


@pytest.fixture
def locked(lab: Lab, fleet: Fleet) -> Iterator[Path]:
    """Return an encrypted key that lets ops in on two nodes, and is the only one that is named."""
    key = keygen(fleet.folder / "locked", PASSPHRASE)
    public = key.with_suffix(".pub").read_text()
    files = [lab.nodes[name].root / "home/ops/.ssh/authorized_keys" for name in NAMES]
    before = [file.read_text() for file in files]
    for file, text in zip(files, before, strict=True):
        file.write_text(text + public)
    config = lab.ssh_config.read_text().replace(f"{lab.ssh_config.parent}/key", str(key))
    (fleet.folder / "ssh_config").write_text(config)
    object.__setattr__(fleet, "ssh_config", str(fleet.folder / "ssh_config"))
    yield key
    for file, text in zip(files, before, strict=True):
        file.write_text(text)


@pytest.fixture
def agent(fleet: Fleet) -> Iterator[dict[str, str]]:
    """Run an ssh-agent; return the variables that lead to it."""
    socket = str(fleet.folder / "agent")
    words = ("ssh-agent", "-D", "-a", socket)
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    while not Path(socket).exists():
        assert running.poll() is None
    yield {**ALONE, "SSH_AUTH_SOCK": socket}
    running.terminate()
    running.wait()


def add(agent: dict[str, str], key: Path, passphrase: str = "") -> None:
    script = key.with_name("askpass")
    script.write_text(f"#!/bin/sh\necho '{passphrase}'\n")
    script.chmod(0o700)
    asking = {"SSH_ASKPASS": str(script), "SSH_ASKPASS_REQUIRE": "force"}
    done = subprocess.run(
        ("ssh-add", "-q", str(key)), env={**os.environ, **agent, **asking}, check=False
    )
    assert done.returncode == 0


def hostnames(fleet: Fleet, *words: str, **how: object) -> dict[str, object]:
    ran = fleet("run", "-l", ",".join(NAMES), "--json", *words, "--", "hostname", **how)
    return {"code": ran.code, "text": ran.text, **(ran.json.get("nodes", {}) if ran.stdout else {})}


def test_an_encrypted_key_is_opened_once_from_stdin_or_by_askpass(
    nodes: Lab, fleet: Fleet, locked: Path
) -> None:
    script = fleet.folder / "askpass"
    script.write_text(f"#!/bin/sh\necho asked >>{fleet.folder}/asked\necho '{PASSPHRASE}'\n")
    script.chmod(0o700)

    piped = hostnames(fleet, stdin=f"{PASSPHRASE}\n", env=ALONE)
    asked = hostnames(fleet, env={**ALONE, "SSH_ASKPASS": str(script)})
    wrong = hostnames(fleet, stdin="wrong\n", env=ALONE)
    silent = hostnames(fleet, env=ALONE)

    assert (piped["code"], asked["code"]) == (0, 0), (piped, asked)
    assert (fleet.folder / "asked").read_text() == "asked\n"
    assert wrong["code"] == 2
    assert f"{locked}: the passphrase is wrong" in str(wrong["text"])
    assert silent["code"] == 1
    for name in NAMES:
        failure = silent[name]["failure"]  # type: ignore[index]
        assert (failure["kind"], failure["step"]) == ("auth", "connect")
        assert f"{locked} is encrypted and not in the agent" in failure["message"]
        assert failure["remedy"] == f"run `ssh-add {locked}`"
    assert PASSPHRASE not in str(piped) + str(asked)


def test_a_passphrase_is_asked_once_at_the_terminal_for_all_nodes(
    nodes: Lab, fleet: Fleet, locked: Path
) -> None:
    mine, theirs = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "fleet", "run", "-l", ",".join(NAMES), "--", "hostname"],
        cwd=fleet.folder,
        env={**os.environ, **ALONE, "FLEET_SSH_CONFIG": fleet.ssh_config},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    assert running.stderr is not None
    err = ""
    for answer in ("wrong", PASSPHRASE):
        while not err.endswith("locked: "):
            err += running.stderr.read(1)
        os.write(mine, f"{answer}\n".encode())
        err += " "
    out, rest = running.communicate(timeout=60)
    err += rest
    os.close(mine)
    os.close(theirs)

    assert running.returncode == 0, out + err
    assert err.count(f"passphrase of {locked}") == 2  # the wrong one was tried here, at once
    assert PASSPHRASE not in out + err


def test_the_agents_key_that_was_named_is_the_only_one_that_is_tried(
    nodes: Lab, fleet: Fleet, locked: Path, agent: dict[str, str]
) -> None:
    for number in range(5):
        add(agent, keygen(fleet.folder / f"other{number}"))
    add(agent, locked, PASSPHRASE)
    bookworm = nodes.nodes["bookworm1"]
    fleet.edit("inventory.yaml", "bookworm1: {", f"bookworm1: {{port: {PORT}, ")
    fleet.write("known_hosts", known_line(nodes, "bookworm1", f"[{bookworm.address}]:{PORT}"))
    lab = f"{nodes.ssh_config.parent}/known_hosts"
    config = Path(fleet.ssh_config)
    config.write_text(config.read_text().replace(lab, f"{fleet.folder}/known_hosts {lab}"))

    with odd_sshd(bookworm, "MaxAuthTries=1"):
        found = hostnames(fleet, env=agent)

    assert found["code"] == 0, found


def test_the_key_that_opened_a_node_is_tried_first_at_the_next(
    nodes: Lab, fleet: Fleet, locked: Path, agent: dict[str, str]
) -> None:
    """Nothing is named: the first node costs some tries, and those after it one each."""
    for number in range(3):
        add(agent, keygen(fleet.folder / f"other{number}"))
    add(agent, locked, PASSPHRASE)
    config = Path(fleet.ssh_config)
    lines = [line for line in config.read_text().splitlines() if "Identit" not in line]
    config.write_text("\n".join(lines))
    bookworm = nodes.nodes["bookworm1"]
    hosts = "\n".join(f"    n{n}: {{host: {bookworm.address}, port: {PORT}}}" for n in range(4))
    fleet.write("inventory.yaml", f"all:\n  hosts:\n{hosts}\n")
    fleet.write("known_hosts", known_line(nodes, "bookworm1", f"[{bookworm.address}]:{PORT}"))
    lab = f"{nodes.ssh_config.parent}/known_hosts"
    config.write_text(config.read_text().replace(lab, f"{fleet.folder}/known_hosts {lab}"))
    since = now(bookworm)

    with odd_sshd(bookworm):
        ran = fleet("run", "--parallel", "1", "--", "hostname", env=agent)
        refused = [line for line in said(bookworm, since) if line.startswith("Failed publickey")]
        welcome = accepted(bookworm, since, "odd-sshd")

    assert ran.code == 0, ran.text
    assert len(welcome) == 4
    assert len(refused) == 3


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (("PubkeyAuthentication=no",), "accepts only password"),
        (("AuthenticationMethods=publickey,password",), "also requires password"),
    ],
    ids=["password alone", "a password besides the key"],
)
def test_an_sshd_that_wants_a_password_is_refused_with_what_to_do(
    nodes: Lab, fleet: Fleet, options: tuple[str, ...], wanted: str
) -> None:
    bookworm = nodes.nodes["bookworm1"]
    fleet.edit("inventory.yaml", "bookworm1: {", f"bookworm1: {{port: {PORT}, ")
    fleet.write("known_hosts", known_line(nodes, "bookworm1", f"[{bookworm.address}]:{PORT}"))
    add_config(nodes, fleet, f"Host *\n    UserKnownHostsFile {fleet.folder}/known_hosts")

    with odd_sshd(bookworm, *options):
        ran = fleet("probe", "-l", "bookworm1", "--json")

    failure = ran.json["nodes"]["bookworm1"]["failure"]
    assert (ran.code, failure["kind"], failure["step"]) == (1, "auth", "connect")
    assert wanted in failure["message"]
    assert "sshd_config" in failure["remedy"]


def test_a_wrong_sudo_password_reaches_one_node_alone(nodes: Lab, fleet: Fleet) -> None:
    for name in nodes.nodes:
        fleet.edit("inventory.yaml", f"{name}: {{", f"{name}: {{user: pat, ")
    since = {name: now(node) for name, node in nodes.nodes.items()}
    tries = "journalctl -o cat --since '{}' | grep -c 'pam_unix(sudo:auth): authentication failure'"

    wrong = fleet("run", "-K", "--json", "--", "id -un", stdin="not-the-password\n")
    counts = [
        int(node.sh(tries.format(since[name]), check=False).stdout)
        for name, node in nodes.nodes.items()
    ]
    right = fleet("run", "-K", "--json", "--", "id -un", stdin=f"{nodes.password}\n")

    assert sum(counts) == 1, counts
    failures = [each["failure"] for each in wrong.json["nodes"].values()]
    assert {each["kind"] for each in failures} == {"sudo"}
    assert len({each["message"] for each in failures}) == 1
    assert "wrong sudo password (tested on bullseye1 only)" in failures[0]["message"]
    assert {each["output"] for each in right.json["nodes"].values()} == {"root"}, right.text
    assert nodes.password not in right.text

"""Questions without a terminal: answers come from stdin, are checked, and are hidden afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """\
import sys
from fleet.cli.log_file import KNOWN
from fleet.cli.prompts import ask_sudo_password, unlock_keys
from fleet.core.model.node import Node
from fleet.errors import FleetError
from fleet.ssh import SshSettings
{ask}
"""
SUDO = """\
password = ask_sudo_password()
print([str(password)], sorted(map(str, KNOWN)), repr(password))
"""
KEYS = """\
try:
    settings = unlock_keys(SshSettings(sys.argv[1]), [Node(name='n', host='n')])
    print([str(secret) for _, secret in settings.passphrases], sorted(map(str, KNOWN)))
except FleetError as error:
    print('error:', error)
"""


def answered(ask: str, answer: str, *words: str) -> str:
    """Return what a process prints that asks for something and reads this from its stdin."""
    ran = subprocess.run(
        [sys.executable, "-c", CODE.format(ask=ask), *words],
        input=answer,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={key: value for key, value in os.environ.items() if key != "SSH_ASKPASS"},
    )
    return ran.stdout.strip()


@pytest.mark.parametrize(
    ("answer", "password"),
    [("hunter2\n", "hunter2"), ("hunter2\nmore\n", "hunter2"), (" a b", " a b")],
)
def test_the_sudo_password_is_the_first_line(answer: str, password: str) -> None:
    assert answered(SUDO, answer) == f"['{password}'] ['{password}'] Secret('***')"


def test_no_line_is_an_empty_password() -> None:
    assert answered(SUDO, "") == "[''] [] Secret('***')"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an ssh_config that names an encrypted key."""
    folder = tmp_path_factory.mktemp("keys")
    key = folder / "id"
    words = ("-q", "-t", "ed25519", "-a", "1", "-N", "secret", "-f", str(key))
    subprocess.run(["ssh-keygen", *words], check=True)
    path = folder / "config"
    path.write_text(f"Host *\n    IdentityAgent none\n    IdentityFile {key}\n")
    return path


def test_a_passphrase_is_checked_and_kept(config: Path) -> None:
    assert answered(KEYS, "secret\n", str(config)) == "['secret'] ['secret']"


def test_a_wrong_passphrase_ends_the_command(config: Path) -> None:
    assert answered(KEYS, "wrong\n", str(config)).startswith("error: ")


def test_a_key_without_an_answer_stays_locked(config: Path) -> None:
    assert answered(KEYS, "\n", str(config)) == "[] []"


def test_without_encrypted_keys_nothing_is_asked(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("Host *\n    IdentityAgent none\n    IdentityFile /none\n")

    assert answered(KEYS, "secret\n", str(tmp_path / "config")) == "[] []"

"""The line that starts a script: one for every login shell, and a password that is not logged."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fleet.core.failure import Step
from fleet.core.model.secret import Secret
from fleet.node.script import Privilege, Script

PASSWORD = r"""it's "quite" a \n $(pass) %s!"""
SCRIPT = Script(Step.SUDO, {}, 20)
SHELLS = ("dash", "bash", "bash --posix")
ASKS_EACH_TIME = """\
for word in "$@"; do [ "$word" != -n ] || { echo 'sudo: a password is required' >&2; exit 1; }; done
"""
BYTE_WISE = "IFS= read -r given\n"
IN_BLOCKS = "given=$(dd bs=8192 count=1 2>/dev/null | head -n 1)\n"
JUDGES = '[ "$given" = "$RIGHT" ] || { echo "sudo: 1 incorrect password attempt" >&2; exit 1; }\n'
RUNS = """\
while [ "$1" != -- ]; do shift; done
shift
tee -a "$HEARD" | "$@"
"""
SUDOS = {
    "asks for nothing": RUNS,
    "asks, and reads byte by byte": ASKS_EACH_TIME + BYTE_WISE + JUDGES + RUNS,
    "asks, and reads in blocks": ASKS_EACH_TIME + IN_BLOCKS + JUDGES + RUNS,
}


def start(shell: str, sudo: str, password: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run the line as a user who is not root, with a sudo that notes what its command reads."""
    (folder / "sudo").write_text(f"#!/bin/sh\n{sudo}")
    (folder / "sudo").chmod(0o755)
    (folder / "heard").touch()
    folder.chmod(0o777)
    (folder / "heard").chmod(0o666)
    privilege = Privilege(Secret(password))
    # The line looks into the system's folders first, where this machine may have a sudo.
    line = SCRIPT.command_line(privilege).replace("PATH=", f"PATH={folder}:", 1)
    return subprocess.run(
        [*shell.split(), "-c", line],
        input=SCRIPT.stdin(privilege),
        env={**os.environ, "RIGHT": PASSWORD, "HEARD": str(folder / "heard")},
        capture_output=True,
        check=False,
        timeout=60,
        user=65534,
    )


@pytest.fixture
def open_folder() -> Path:
    """Return a folder that any user can enter."""
    made = subprocess.run(["mktemp", "-d"], check=True, capture_output=True, text=True)
    folder = Path(made.stdout.strip())
    yield folder
    subprocess.run(["rm", "-rf", "--", folder], check=True)


@pytest.mark.root
@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("sudo", SUDOS.values(), ids=SUDOS)
def test_a_command_never_reads_the_password(shell: str, sudo: str, open_folder: Path) -> None:
    ran = start(shell, sudo, PASSWORD, open_folder)

    assert ran.stdout.startswith(b"begun\t=")
    assert b"hello\t=65534\n" in ran.stdout, ran
    heard = (open_folder / "heard").read_bytes()
    assert b"protocol_begin()" in heard
    assert PASSWORD.encode() not in heard


@pytest.mark.root
def test_a_wrong_password_is_given_once_and_runs_nothing(open_folder: Path) -> None:
    ran = start("dash", SUDOS["asks, and reads byte by byte"], "wrong", open_folder)

    assert (ran.returncode, ran.stdout) == (77, b"begun\t=asked\n")
    assert ran.stderr.count(b"incorrect") == 1
    assert (open_folder / "heard").read_bytes() == b""


@pytest.mark.parametrize("password", [None, PASSWORD], ids=["plain", "with a password"])
def test_the_line_is_one_that_csh_and_fish_can_read_as_well(password: str | None) -> None:
    line = SCRIPT.command_line(Privilege(Secret(password) if password else None))

    assert line.startswith("exec sh -c '")
    assert not set("\n!") & set(line)
    assert "\\'" not in line
    assert "\\\\" not in line
    assert len(line) < 1000

"""One cause, one message: what the system said of a failed write, and why a shell ended early."""

from __future__ import annotations

import subprocess
from importlib.resources import files

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.node.assembler import script_names, source
from fleet.node.run_script import failure_of
from fleet.node.script import parse_reply

_HERE = """
STATE=/tmp
steps_fail() { printf '%s\\n%s; %s\\n%s' "$1" "$3" "$4" "$5"; exit 0; }
storage_fail keep 'keep the files' "$1" /tmp
"""
WORDS = {
    "cp: cannot create '/x': Read-only file system": ("storage", "EROFS"),
    "mv: cannot move '/x': Operation not permitted": ("storage", "EPERM"),
    "mv: cannot move '/x' to '/y': Device or resource busy": ("storage", "EBUSY"),
    "mkdir: cannot create '/x': Permission denied": ("storage", "EACCES"),
    "cp: error writing '/x': Disk quota exceeded": ("storage", "EDQUOT"),
    "cp: error writing '/x': No space left on device": ("storage", "ENOSPC"),
    "cp: error reading '/x': Input/output error": ("storage", "EIO"),
    "sh: 12: Cannot fork": ("unsupported", "EAGAIN"),
    "sh: fork: retry: Resource temporarily unavailable": ("unsupported", "EAGAIN"),
    "cp: something else": ("storage", "fix what the system reports"),
    "": ("storage", "fix what the system reports"),
}


def causes() -> str:
    return (files("fleet.node") / "scripts/lib/storage.sh").read_text()


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize(("words", "told"), WORDS.items())
def test_a_failed_write_is_told_by_the_error_of_the_system(
    words: str, told: tuple[str, str], shell: str
) -> None:
    ran = subprocess.run(
        [shell, "-c", causes() + _HERE, "sh", words], capture_output=True, text=True, check=True
    )

    kind, message, *evidence = ran.stdout.split("\n")
    assert kind == told[0]
    assert told[1] in message
    assert evidence == [words]
    assert "?" not in message


def test_every_script_that_tells_of_a_failed_write_knows_the_causes() -> None:
    users = [name for name in script_names() if "storage_fail " in source(name)]

    assert users
    assert [name for name in users if "storage_fail() {" not in source(name)] == []


ENDS = {
    "a login shell": ("", "sh: fork: Resource temporarily unavailable", "(EAGAIN)"),
    "sudo": ("", "sudo: unable to fork: Resource temporarily unavailable", "(EAGAIN)"),
    "timeout": ("", "timeout: fork system call failed: Resource temporarily", "(EAGAIN)"),
    "in the middle": ("hello\t=0\n", "sh: 40: Cannot fork", "(EAGAIN)"),
    "no memory": ("hello\t=0\n", "sh: xrealloc: Cannot allocate memory", "(ENOMEM)"),
}


@pytest.mark.parametrize(("stdout", "stderr", "told"), ENDS.values(), ids=ENDS)
def test_a_shell_that_cannot_go_on_says_why(stdout: str, stderr: str, told: str) -> None:
    with pytest.raises(NodeError) as caught:
        parse_reply("probe", 2, stdout, stderr)

    failure = caught.value.failure
    assert failure.kind is FailureKind.UNSUPPORTED
    assert told in failure.message
    assert failure.evidence == stderr


@pytest.mark.parametrize("words", ["sh: 9: Cannot fork", "sh: 9: unexpected"])
def test_a_script_that_ends_early_is_a_bug_only_where_its_shell_names_no_cause(words: str) -> None:
    told = "hello\t=0\nfailure\t=bug\nfailed_step\t=stage\nmessage\t=it ended early; x\nend\t\n"

    failure = failure_of(parse_reply("stage", 0, told, words))

    assert failure is not None
    named = FailureKind.UNSUPPORTED if "fork" in words else FailureKind.BUG
    assert failure.kind is named
    assert words in failure.evidence

"""lib/storage.sh: the cause of a failed write, by the error that the system reported."""

from __future__ import annotations

import pytest

from tests.node.scripts.shell import HOOKS, Shell

GIVEN = {"ID": "r1", "MODE": "stage", "OPERATOR": "me", **HOOKS}
CAUSES = {
    "cp: cannot create '/x': Read-only file system": ("storage", "EROFS"),
    "mv: cannot move '/x': Operation not permitted": ("storage", "EPERM"),
    "mv: cannot move '/x' to '/y': Device or resource busy": ("storage", "EBUSY"),
    "mkdir: cannot create '/x': Permission denied": ("storage", "EACCES"),
    "cp: error writing '/x': Disk quota exceeded": ("storage", "EDQUOT"),
    "cp: error writing '/x': No space left on device": ("storage", "ENOSPC"),
    "cp: error reading '/x': Input/output error": ("storage", "EIO"),
    "sh: 12: Cannot fork": ("unsupported", "EAGAIN"),
    "sh: fork: retry: Resource temporarily unavailable": ("unsupported", "EAGAIN"),
    "cp: something else": ("storage", "cannot keep the files"),
    "": ("storage", "cannot keep the files"),
}
_DF = """case $1 in
-Pi) free={inodes} ;;
-Pk) free={blocks} ;;
esac
printf 'Filesystem all used free\\nx 100 0 %s 0%% /\\n' "$free"
"""


@pytest.mark.parametrize(("error", "expected"), CAUSES.items())
def test_a_failed_write_is_reported_by_the_error_of_the_system(
    shell: Shell, error: str, expected: tuple[str, str]
) -> None:
    done = shell.run(
        "storage", "storage_fail keep 'keep the files' \"$error\" /", error=error, **GIVEN
    )

    kind, step, message = done.failure
    assert (kind, step) == (expected[0], "keep")
    assert expected[1] in message
    assert done.reply.value("remedy")
    assert done.reply.value("evidence") == error


FULL = {
    "no inodes": ("0", "50", "cp: No space left on device", "no inodes are left"),
    "no space": ("50", "0", "cp: No space left on device", "no space is left"),
    "a write that failed on a full disk": ("50", "0", "sh: write error", "no space is left"),
    "a write that failed on another one": ("50", "50", "sh: write error", "cannot keep the files"),
}


@pytest.mark.parametrize(("inodes", "blocks", "error", "expected"), FULL.values(), ids=FULL)
def test_a_full_disk_is_told_from_one_without_inodes(
    shell: Shell, inodes: str, blocks: str, error: str, expected: str
) -> None:
    shell.stand_in("df", _DF.format(inodes=inodes, blocks=blocks))

    done = shell.run(
        "storage", "storage_fail keep 'keep the files' \"$error\" /", error=error, **GIVEN
    )

    assert expected in done.failure[2]

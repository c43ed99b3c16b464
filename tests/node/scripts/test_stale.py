"""lib/stale.sh: a plan whose files have changed since."""

from __future__ import annotations

import pytest

from tests.node.scripts.changes import FILES, FileChange
from tests.node.scripts.shell import Shell, digest

CHANGES = {
    "an edited file": ("echo x >etc/config.toml", "config.toml"),
    "a deleted file": ("rm etc/config.toml", "config.toml"),
    "a file that became a link": ("ln -sf other etc/config.toml", "config.toml"),
    "a file that somebody made": (
        "mkdir etc/certs.d/docker.io; echo x >etc/certs.d/docker.io/hosts.toml",
        "certs.d/docker.io/hosts.toml",
    ),
    "a file that the plan only read": ("echo x >etc/read", "read"),
    "one more file": ("echo x >etc/none", "none"),
}


def checks(change: FileChange) -> str:
    """Return the list of files that the plan has read and leaves as they are."""
    (change.folder / "read").write_text("read\n")
    return f"{digest('read' + chr(10))}\t{change.path('read')}\n-\t{change.path('none')}"


def test_a_plan_whose_files_are_as_they_were_passes(shell: Shell) -> None:
    change = FileChange(shell, FILES)

    done = change.run("stale_check; printf passed", CHECKS=checks(change))

    assert (done.code, done.output, done.errors) == (0, "passed", "")


@pytest.mark.parametrize(("edit", "path"), CHANGES.values(), ids=CHANGES)
def test_any_change_is_named(shell: Shell, edit: str, path: str) -> None:
    change = FileChange(shell, FILES)

    done = change.run(f"{edit}\nstale_check; printf passed", CHECKS=checks(change))

    assert done.code == 3
    assert done.failure[:2] == ("stale", "check")
    assert done.failure[2].startswith(f"{change.path(path)} was changed")

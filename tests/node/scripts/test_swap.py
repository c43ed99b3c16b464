"""lib/prepare.sh and lib/swap.sh: new files beside the old ones, then in their place."""

from __future__ import annotations

import os
import struct

import pytest

from tests.node.scripts.changes import FILES, SAVE, SWAP, FileChange
from tests.node.scripts.shell import Shell


def test_new_files_are_beside_the_old_ones_before_the_swap(shell: Shell) -> None:
    change = FileChange(shell, FILES)

    done = change.run(f"{SAVE}mv $PENDING.tmp $PENDING; prepare_files")

    assert (done.code, done.errors) == (0, "")
    assert change.there() == {
        **change.before,
        ".fleet-r1.config.toml.new": "new\n",
        "certs.d/.fleet-r1/docker.io/hosts.toml": "server\n",
    }
    assert (shell.state / "pending/laid").exists()


def test_content_that_is_not_what_was_planned_is_a_failure(shell: Shell) -> None:
    change = FileChange(shell, {"a": ("old\n", "new\n")})

    done = change.run(
        f"{SAVE}mv $PENDING.tmp $PENDING; content=tother${{MARK}}tx$MARK\nprepare_files"
    )

    assert done.failure[:2] == ("storage", "stage")
    assert change.path("a").read_text() == "old\n"


def test_a_swap_puts_new_files_in_place_and_keeps_the_old_ones(shell: Shell) -> None:
    change = FileChange(shell, FILES)

    done = change.run(SAVE + SWAP)

    assert (done.code, done.errors) == (0, "")
    names = {name for name in change.there() if ".fleet-r1" not in name}
    assert {name: text for name, text in change.there().items() if name in names} == change.after
    kept = [text for name, text in change.there().items() if name not in names]
    assert sorted(kept) == ["old\n", "quay\n"]
    assert change.path("config.toml").stat().st_mode & 0o777 == 0o644


def test_a_swap_works_where_mv_cannot_exchange(shell: Shell) -> None:
    shell.stand_in("mv", 'case $* in *--exchange*) exit 1 ;; esac\nexec /bin/mv "$@"')
    change = FileChange(shell, FILES)

    done = change.run(SAVE + SWAP)

    assert done.code == 0
    assert change.path("config.toml").read_text() == "new\n"
    assert change.path("config.toml.fleet-r1").read_text() == "old\n"


EDITS = {
    "an edited file": ("echo edited >etc/config.toml", "config.toml"),
    "a file that somebody made": (
        "mkdir -p etc/certs.d/docker.io; echo x >etc/certs.d/docker.io/hosts.toml",
        "certs.d/docker.io/hosts.toml",
    ),
    "a file that became a link": ("ln -sf /dev/null etc/config.toml", "config.toml"),
}


@pytest.mark.parametrize(("edit", "strange"), EDITS.values(), ids=EDITS)
def test_an_edit_before_the_swap_is_found(shell: Shell, edit: str, strange: str) -> None:
    change = FileChange(shell, FILES)
    code = f"{SAVE}mv $PENDING.tmp $PENDING; prepare_files; {edit}\n"

    done = change.run(f'{code} swap_all 2>/dev/null || printf "%s" "$strange"')

    assert done.output in {str(change.path(strange)), str(change.path(strange).parent)}


def test_what_a_swap_has_not_reached_is_recorded(shell: Shell) -> None:
    change = FileChange(shell, {"a": ("a\n", "b\n"), "c": ("c\n", "d\n"), "e": ("e\n", "f\n")})
    code = f"{SAVE}mv $PENDING.tmp $PENDING; prepare_files; ln -sf /dev/null etc/c; swap_all"

    change.run(f"{code} 2>/dev/null")

    left = (shell.state / "pending/left").read_text().splitlines()
    assert left == [str(change.path("c")), str(change.path("e"))]
    assert change.path("a").read_text() == "b\n"


def test_a_folder_that_a_change_empties_goes(shell: Shell) -> None:
    change = FileChange(
        shell, {"certs.d/quay.io/hosts.toml": ("q\n", None), "state.json": ("a\n", "b\n")}
    )
    folder = change.path("certs.d/quay.io")

    done = change.run(f"{SAVE}STATE={change.folder}\n{SWAP}", EMPTIED=str(folder))

    assert done.code == 0, done.errors
    assert not folder.exists()


@pytest.mark.parametrize("top", ["certs.d/quay.io", "certs.d"])
def test_a_folder_that_is_made_again_gets_its_attributes_back(shell: Shell, top: str) -> None:
    """The newest state before a removal counts, and nothing else that was in it."""
    change = FileChange(shell, {"a": ("a\n", "b\n"), "certs.d/quay.io/hosts.toml": (None, "q\n")})
    for number, mode in enumerate((0o700, 0o711)):
        saved = shell.state / f"generations/2026010{number}-000000-0000/folders"
        folder = saved / str(change.path("certs.d/quay.io")).lstrip("/")
        (folder / "other").mkdir(parents=True)
        folder.chmod(mode)
        folder.parent.chmod(mode)
    change.path(top).parent.mkdir(exist_ok=True)

    done = change.run(f"{SAVE}{SWAP}")

    assert done.code == 0, done.errors
    assert change.there()["certs.d/quay.io/hosts.toml"] == "q\n"
    assert not list(change.folder.rglob("other"))
    dressed = change.path(top).stat().st_mode & 0o777
    assert dressed == 0o711
    assert change.path("certs.d/quay.io").stat().st_mode & 0o777 == 0o711


def test_a_folder_does_not_keep_an_acl_that_it_did_not_have(shell: Shell) -> None:
    """It was made again in a folder whose files inherit an ACL."""
    change = FileChange(shell, {"certs.d/hosts.toml": (None, "q\n")})
    folder, saved = change.path("certs.d"), change.path("saved")
    for each in (folder, saved):
        each.mkdir()
    entries = (1, 7, -1), (2, 5, 1234), (4, 5, -1), (16, 5, -1), (32, 5, -1)
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
    os.setxattr(folder, "system.posix_acl_access", acl)

    done = change.run(f"{SAVE}{SWAP}", SAVED=f"{saved}\t{folder}")

    assert done.code == 0, done.errors
    assert os.listxattr(folder) == []

"""lib/generation.sh: the state before a change, saved."""

from __future__ import annotations

import os

from tests.node.scripts.changes import FILES, SAVE, FileChange
from tests.node.scripts.shell import Shell, digest


def test_a_generation_holds_bytes_modes_owners_and_absences(shell: Shell) -> None:
    change = FileChange(shell, FILES)

    done = change.run(SAVE)

    assert (done.code, done.errors) == (0, "")
    owner = [str(os.getuid()), str(os.getgid())]
    paths = [str(change.path(name)) for name in FILES]
    assert change.manifest() == [
        ["file", "0", "640", *owner, digest("old\n"), paths[0]],
        ["absent", "-", "-", "-", "-", "-", paths[1]],
        ["file", "2", "640", *owner, digest("quay\n"), paths[2]],
        ["newdir", "-", "-", "-", "-", "-", str(change.path("certs.d/docker.io"))],
    ]
    kept = shell.state / "generations/r1"
    assert [(kept / f"files/{index}").read_text() for index in (0, 2)] == ["old\n", "quay\n"]
    after = [line.split("\t") for line in (kept / "after").read_text().splitlines()]
    assert after == [
        [digest("new\n"), paths[0]],
        [digest("server\n"), paths[1]],
        ["-", paths[2]],
    ]
    assert (kept / "seal").exists()


def test_a_pending_change_is_prepared_with_its_guard(shell: Shell) -> None:
    FileChange(shell, FILES).run(SAVE, LIVENESS="/etc/certs.d", ill_then="it was down")

    prepared = shell.state / "pending.tmp"
    assert {path.name: path.read_text() for path in prepared.iterdir()} == {
        "guard.sh": "guard\n",
        "id": "r1\n",
        "phase": "armed\n",
        "liveness": "/etc/certs.d\n",
        "ill": "it was down\n",
    }


def test_a_file_that_was_edited_since_the_plan_is_a_failure(shell: Shell) -> None:
    change = FileChange(shell, FILES)
    change.path("config.toml").write_text("edited\n")

    done = change.run(f"{SAVE}echo further")

    assert done.failure[:2] == ("stale", "check")
    assert str(change.path("config.toml")) in done.failure[2]
    assert list((shell.state / "generations").iterdir()) == []


def test_hard_links_and_links_are_kept_as_such(shell: Shell) -> None:
    change = FileChange(shell, {"a": ("a\n", "b\n")})
    (change.folder / "second").hardlink_to(change.path("a"))

    change.run(SAVE)

    kept = shell.state / "generations/r1/links/0"
    assert kept.stat().st_ino == change.path("a").stat().st_ino
    assert change.manifest()[1][:2] == ["link", "0"]


def test_a_folder_that_goes_with_its_files_is_kept_with_its_mode(shell: Shell) -> None:
    change = FileChange(shell, {"certs.d/quay.io/hosts.toml": ("quay\n", None)})
    folder = change.path("certs.d/quay.io")
    folder.chmod(0o711)

    change.run(SAVE, EMPTIED=str(folder))

    kept = shell.state / f"generations/r1/folders{folder}"
    assert kept.stat().st_mode & 0o777 == 0o711
    assert list(kept.iterdir()) == []
    assert change.manifest()[-1] == ["folder", "-", "-", "-", "-", "-", str(folder)]


def test_a_folder_with_a_file_of_others_stays(shell: Shell) -> None:
    change = FileChange(shell, {"certs.d/quay.io/hosts.toml": ("quay\n", None)})
    folder = change.path("certs.d/quay.io")
    (folder / "ca.crt").write_text("x")

    change.run(SAVE, EMPTIED=str(folder))

    assert [line[0] for line in change.manifest()] == ["file"]


def test_a_generation_of_the_same_name_is_kept_aside(shell: Shell) -> None:
    older = shell.state / "generations/r1"
    older.mkdir(parents=True)
    (older / "manifest").write_text("older\n")

    FileChange(shell, FILES).run(SAVE)

    (aside,) = (shell.state / "generations").glob("r1-*")
    assert (aside / "manifest").read_text() == "older\n"


def test_a_disk_that_is_full_is_a_failure_and_leaves_nothing(shell: Shell) -> None:
    shell.stand_in("cp", "echo 'cp: error writing: No space left on device' >&2; exit 1")

    done = FileChange(shell, FILES).run(f"{SAVE}echo further")

    assert done.failure[:2] == ("storage", "keep")
    assert "ENOSPC" in done.failure[2]
    assert not (shell.state / "pending.tmp").exists()

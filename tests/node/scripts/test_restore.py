"""lib/restore.sh: the files of a generation, byte for byte, and what others have edited."""

from __future__ import annotations

from tests.node.scripts.changes import FILES, SAVE, SWAP, FileChange
from tests.node.scripts.shell import Shell


def test_a_swapped_change_is_undone_with_all_that_it_left(shell: Shell) -> None:
    change = FileChange(shell, FILES)

    done = change.run(f"{SAVE}{SWAP}restore_files")

    assert (done.code, done.errors) == (0, "")
    assert change.there() == change.before
    assert change.path("config.toml").stat().st_mode & 0o777 == 0o640
    assert not change.path("certs.d/docker.io").exists()
    assert [path.name for path in change.folder.rglob(".fleet*")] == []


def test_a_change_that_was_only_prepared_is_undone(shell: Shell) -> None:
    change = FileChange(shell, FILES)

    done = change.run(f"{SAVE}mv $PENDING.tmp $PENDING; prepare_files; restore_files")

    assert (done.code, done.errors) == (0, "")
    assert change.there() == change.before


def test_the_saved_copy_is_used_if_nothing_is_left_beside(shell: Shell) -> None:
    change = FileChange(shell, FILES)

    done = change.run(f"{SAVE}{SWAP}find etc -name '*.fleet-r1*' -delete; restore_files")

    assert done.code == 0, done.errors
    assert change.there() == change.before


def test_a_damaged_copy_is_not_restored(shell: Shell) -> None:
    change = FileChange(shell, {"a": ("old\n", "new\n")})
    spoil = "rm -rf etc/.fleet* etc/*.fleet-r1; echo bad >$KEPT/files/0"

    done = change.run(f"{SAVE}{SWAP}{spoil}; restore_files")

    assert done.code == 1
    assert done.errors.endswith("files/0 is damaged\n")
    assert change.path("a").read_text() == "new\n"


def test_an_edit_of_others_is_saved_as_a_generation_of_its_own(shell: Shell) -> None:
    change = FileChange(shell, {"a": ("old\n", "new\n")})

    done = change.run(f"{SAVE}{SWAP}echo edited >etc/a; restore_files")

    assert done.code == 0, done.errors
    assert change.there() == change.before
    saved = shell.state / "generations/r1-displaced"
    assert (saved / "files/0").read_text() == "edited\n"
    (line,) = (saved / "manifest").read_text().splitlines()
    assert line.split("\t")[0] == "file"
    assert line.endswith(f"\t{change.path('a')}")


def test_a_link_of_others_is_moved_away_whole(shell: Shell) -> None:
    change = FileChange(shell, {"a/hosts.toml": ("old\n", "new\n")})

    done = change.run(f"{SAVE}{SWAP}ln -sf /etc/x etc/a/hosts.toml; restore_files")

    assert done.code == 0, done.errors
    assert change.there() == change.before
    moved = shell.state / "generations/r1-displaced/links/0"
    assert str(moved.readlink()) == "/etc/x"


def test_files_that_the_swap_had_not_reached_stay(shell: Shell) -> None:
    change = FileChange(shell, {"a": ("a\n", "b\n"), "c": ("c\n", "d\n")})
    left = f'printf "%s\\n" {change.path("c")} >$PENDING/left'

    done = change.run(f"{SAVE}{SWAP}{left}; restore_files")

    assert done.code == 0, done.errors
    assert (change.path("a").read_text(), change.path("c").read_text()) == ("a\n", "d\n")


def test_a_folder_comes_back_with_its_mode(shell: Shell) -> None:
    change = FileChange(shell, {"certs.d/quay.io/hosts.toml": ("quay\n", None)})
    folder = change.path("certs.d/quay.io")
    folder.chmod(0o711)
    code = f"{SAVE}{SWAP}rm -rf {folder}; restore_files"

    done = change.run(code, EMPTIED=str(folder))

    assert done.code == 0, done.errors
    assert change.there() == change.before
    assert folder.stat().st_mode & 0o777 == 0o711


def test_a_restore_can_be_run_again(shell: Shell) -> None:
    change = FileChange(shell, FILES)

    done = change.run(f"{SAVE}{SWAP}restore_files && restore_files")

    assert (done.code, done.errors) == (0, "")
    assert change.there() == change.before

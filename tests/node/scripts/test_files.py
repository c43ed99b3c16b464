"""lib/files.sh: what files are, and how one replaces another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.node.scripts.shell import Shell, digest

PLACE = {"ID": "one", "path": "", "aside": ""}


def make(folder: Path) -> None:
    """Make one of each kind."""
    (folder / "plain").write_text("x\n")
    (folder / "link").symlink_to("plain")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "folder").mkdir()


KINDS = {
    "plain": (True, True, digest("x\n")),
    "link": (True, False, "@plain"),
    "dangling": (True, False, "@nowhere"),
    "folder": (True, False, "-"),
    "nothing": (False, False, "-"),
}


@pytest.mark.parametrize(("name", "expected"), KINDS.items(), ids=KINDS)
def test_a_path_is_told_by_its_kind(
    shell: Shell, name: str, expected: tuple[bool, bool, str]
) -> None:
    make(shell.folder)
    code = f"""
    files_exists {name} && exists=1
    files_is_plain {name} && plain=1
    files_sum {name}
    printf '%s|%s|%s' "${{exists:-0}}" "${{plain:-0}}" "$sum"
    """

    exists, plain, found = shell.output("files", code, **PLACE).split("|")

    assert (exists == "1", plain == "1", found) == expected


@pytest.mark.parametrize(
    ("name", "sum_", "same"),
    [("link", "@other", True), ("link", "d", False), ("plain", "d", True), ("plain", "@d", False)],
)
def test_a_kind_is_compared_and_not_the_content(
    shell: Shell, name: str, sum_: str, *, same: bool
) -> None:
    make(shell.folder)

    done = shell.run("files", f"files_has_kind {name} {sum_}", **PLACE)

    assert (done.code == 0) is same


def test_the_digest_of_a_file_that_is_not_there_is_a_dash(shell: Shell) -> None:
    make(shell.folder)
    code = "files_digest plain; echo; files_digest nothing"

    assert shell.output("files", code, **PLACE) == f"{digest('x' + chr(10))}\n-"


@pytest.mark.parametrize("mv", ["", 'case $* in *--exchange*) exit 1 ;; esac\nexec /bin/mv "$@"'])
def test_a_replaced_file_is_kept(shell: Shell, mv: str) -> None:
    if mv:
        shell.stand_in("mv", mv)
    (shell.folder / "new").write_text("new")
    (shell.folder / "old").write_text("old")
    code = 'files_replace new && cat old && printf " " && cat "$replaced"'

    assert shell.output("files", code, ID="1", path="old", aside="old.fleet-1") == "new old"


def test_a_file_takes_the_place_of_nothing(shell: Shell) -> None:
    (shell.folder / "new").write_text("new")

    shell.output("files", "files_replace new", ID="1", path="old", aside="old.fleet-1")

    assert (shell.folder / "old").read_text() == "new"


def test_the_first_line_of_a_file_is_read(shell: Shell) -> None:
    (shell.folder / "note").write_text(" a b\nc\n")
    code = """
    files_first_line note; files_first_line nothing
    files_read_line note; printf '|%s' "$line"
    files_read_line nothing; printf '|%s' "$line"
    """

    assert shell.output("files", code, **PLACE) == " a b| a b|"


def test_a_folder_is_made_for_all_to_read(shell: Shell) -> None:
    shell.output("files", "umask 077; files_make_directory a/b", **PLACE)

    assert {(shell.folder / name).stat().st_mode & 0o777 for name in ("a", "a/b")} == {0o755}


def test_a_folder_that_is_gone_is_synced_by_the_one_above_it(shell: Shell) -> None:
    shell.stand_in("sync", "")
    (shell.folder / "a").mkdir()
    base = shell.folder
    places = f"{base}/a/b/c\n{base}/a\n{base}/a\n"

    shell.output("files", 'files_sync_folders "$places"', places=places, **PLACE)

    assert shell.calls == [f"sync {base}/a {base}"]

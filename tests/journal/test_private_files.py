"""Files and folders for their owner alone: new ones are made so, older ones become so."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from fleet.journal.private_files import open_private, private_folder, tighten, write_private

NOBODY = 65534
MODES = [
    (0o666, 0o600),
    (0o644, 0o600),
    (0o755, 0o700),
    (0o604, 0o600),
    (0o600, 0o600),
    (0o400, 0o400),
]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """Create files as a user without any umask does."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_new_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    assert list(private_folder(tmp_path / "a" / "b")) == []

    assert mode(tmp_path / "a" / "b") == 0o700


@pytest.mark.parametrize(("name", "after"), [(".fleet", 0o700), ("mine", 0o755)])
def test_of_the_folders_that_are_there_only_fleets_own_is_closed(
    tmp_path: Path, name: str, after: int
) -> None:
    (tmp_path / name).mkdir(mode=0o755)

    assert list(private_folder(tmp_path / name)) == []

    assert mode(tmp_path / name) == after


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    descriptor, note = open_private(tmp_path / "x", os.O_WRONLY)
    os.close(descriptor)

    assert (mode(tmp_path / "x"), note) == (0o600, "")


@pytest.mark.parametrize(("before", "after"), MODES)
def test_an_existing_file_loses_the_access_of_others(
    tmp_path: Path, before: int, after: int
) -> None:
    path = tmp_path / "x"
    path.write_text("kept")
    path.chmod(before)

    descriptor, note = open_private(path, os.O_RDONLY)
    os.close(descriptor)

    assert (mode(path), note, path.read_text()) == (after, "", "kept")


@pytest.mark.parametrize(("before", "after"), MODES)
def test_a_file_is_tightened_without_a_change_of_its_content(
    tmp_path: Path, before: int, after: int
) -> None:
    path = tmp_path / "x"
    path.write_text("kept")
    path.chmod(before)

    assert tighten(path) == ""

    assert (mode(path), path.read_text()) == (after, "kept")


def test_a_file_that_is_not_there_needs_no_tightening(tmp_path: Path) -> None:
    assert tighten(tmp_path / "x") == ""
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_no_regular_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o644)

    descriptor, note = open_private(path, os.O_RDWR)
    os.close(descriptor)

    assert (mode(path), note) == (0o644, "")


def test_a_descriptor_is_not_inherited(tmp_path: Path) -> None:
    descriptor, _ = open_private(tmp_path / "x", os.O_RDWR)

    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


def test_a_written_file_replaces_the_longer_one_before(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("a much longer text")

    assert write_private(path, "ü") == ""

    assert (path.read_bytes(), mode(path)) == ("ü".encode(), 0o600)


def test_a_link_of_the_user_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("")
    (tmp_path / "link").symlink_to("target")

    write_private(tmp_path / "link", "text")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "text"


def test_a_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_private(tmp_path / "none" / "x", os.O_RDWR)


@pytest.mark.root
@pytest.mark.parametrize(("owner", "written"), [(NOBODY, False), (0, True)])
def test_a_link_of_another_user_is_not_written_through(
    tmp_path: Path, owner: int, written: bool
) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    link = tmp_path / "report.html"
    link.symlink_to(target)
    os.chown(link, owner, owner, follow_symlinks=False)

    with nullcontext() if written else pytest.raises(OSError, match="a link made by another user"):
        write_private(link, "a report")

    assert target.read_text() == ("a report" if written else "precious")

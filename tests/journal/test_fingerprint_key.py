"""The key of fingerprints: one for all journals of a folder, made once, for its owner alone."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fleet.errors import FleetError
from fleet.journal.fingerprint_key import lasting_key, passing_key, read_key

KEY = bytes(range(32))


def test_a_key_of_one_run_is_new_each_time() -> None:
    first, second = passing_key(), passing_key()

    assert (len(first), len(second)) == (32, 32)
    assert first != second


def test_a_lasting_key_is_made_once(tmp_path: Path) -> None:
    first = lasting_key(tmp_path / "journal.db")

    assert lasting_key(tmp_path / "journal.db") == first
    assert read_key(tmp_path / "journal.db") == first
    assert (tmp_path / "fingerprint.key").read_bytes() == first
    assert len(first) == 32


def test_a_key_that_is_there_is_used(tmp_path: Path) -> None:
    (tmp_path / "fingerprint.key").write_bytes(KEY)

    assert lasting_key(tmp_path / "journal.db") == KEY


def test_reading_makes_no_key(tmp_path: Path) -> None:
    assert read_key(tmp_path / "journal.db") is None
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "fingerprint.key").mkdir()

    assert read_key(tmp_path / "journal.db") is None


@pytest.mark.parametrize("content", [b"", b"half", bytes(31), bytes(33)])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "fingerprint.key").write_bytes(content)

    for read in (read_key, lasting_key):
        with pytest.raises(FleetError, match="not a key of 32 bytes"):
            read(tmp_path / "journal.db")
    assert (tmp_path / "fingerprint.key").read_bytes() == content


@pytest.mark.parametrize("mode", [0o644, 0o666, 0o600, 0o400])
def test_the_key_is_for_its_owner_alone(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "fingerprint.key"
    path.write_bytes(KEY)
    path.chmod(mode)

    lasting_key(tmp_path / "journal.db")

    assert stat.S_IMODE(path.stat().st_mode) == mode & 0o700


def test_a_new_key_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        lasting_key(tmp_path / "journal.db")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "fingerprint.key").stat().st_mode) == 0o600


def test_a_key_that_cannot_be_kept_ends_the_command(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(FleetError, match=r"cannot be stored there \(Not a directory\)"):
        lasting_key(tmp_path / "file" / "journal.db")


def test_fleets_that_make_a_key_at_the_same_time_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = list(pool.map(lasting_key, [tmp_path / "journal.db"] * 64))

    assert len(set(keys)) == 1
    assert len(keys[0]) == 32
    assert read_key(tmp_path / "journal.db") == keys[0]
    assert [path.name for path in tmp_path.iterdir()] == ["fingerprint.key"]


def test_two_journals_have_different_keys_and_half_a_key_is_refused(tmp_path: Path) -> None:
    assert lasting_key(tmp_path / "a.db") == lasting_key(tmp_path / "b.db")
    (tmp_path / "x").mkdir()
    assert lasting_key(tmp_path / "x" / "a.db") != lasting_key(tmp_path / "a.db")

    (tmp_path / "fingerprint.key").write_bytes(b"half")
    with pytest.raises(FleetError, match="not a key of 32 bytes"):
        lasting_key(tmp_path / "a.db")

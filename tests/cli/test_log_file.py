"""The log: as much on stderr as -v asks for, all of it in a file, and no secret in either."""

from __future__ import annotations

import logging
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.cli.log_file import KNOWN, LOG, Masking, hide, note, open_log
from fleet.errors import FleetError


@pytest.fixture(autouse=True)
def own_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the test a log without handlers, and take away those that it adds."""
    monkeypatch.setattr(sys, "argv", ["fleet", "check", "-l", "a b"])
    before, level, known = list(LOG.handlers), LOG.level, set(KNOWN)
    LOG.handlers.clear()
    yield
    for handler in LOG.handlers:
        handler.close()
    LOG.handlers[:] = before
    LOG.setLevel(level)
    KNOWN.clear()
    KNOWN.update(known)


def lines(path: Path) -> list[str]:
    """Return the lines of a log without their times."""
    return [line.split(" ", 2)[2] for line in path.read_text().splitlines()]


def test_a_file_has_everything_and_begins_with_the_command(tmp_path: Path) -> None:
    open_log(0, str(tmp_path / "a.log"))
    LOG.debug("a detail")
    logging.getLogger("fleet.ssh").info("connected")
    note("a line of progress")

    first, *others = lines(tmp_path / "a.log")
    assert first.startswith("INFO fleet: fleet ")
    assert first.endswith(": check -l 'a b'")
    assert others == [
        "DEBUG fleet: a detail",
        "INFO fleet.ssh: connected",
        "INFO fleet.progress: a line of progress",
    ]


@pytest.mark.parametrize(
    ("verbose", "shown"),
    [(0, []), (1, ["an info"]), (2, ["a detail", "an info"]), (9, ["a detail", "an info"])],
)
def test_the_terminal_shows_as_much_as_is_asked_for(
    capsys: pytest.CaptureFixture[str], verbose: int, shown: list[str]
) -> None:
    open_log(verbose, None)
    LOG.debug("a detail")
    LOG.info("an info")
    note("what the terminal shows anyway")

    assert [line.rpartition(": ")[2] for line in capsys.readouterr().err.splitlines()] == shown


def test_a_log_goes_on_where_it_ended_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("before\n")
    path.chmod(0o644)

    open_log(0, str(path))

    assert path.read_text().startswith("before\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_that_cannot_be_written_ends_the_command(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match=r"cannot be written \(No such file or directory\)"):
        open_log(0, str(tmp_path / "nowhere" / "a.log"))


def test_a_secret_is_hidden_from_when_it_is_known(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    open_log(0, str(path))

    hide("hunter2")
    hide("")
    LOG.info("sudo said hunter2")
    LOG.info("nothing")

    assert "hunter2" not in path.read_text()
    assert lines(path)[-1] == "INFO fleet: nothing"


@pytest.mark.parametrize(
    ("text", "gone", "kept"),
    [
        ("password = abc", "abc", "password"),
        ("https://eve:abc@m.example/x", "abc", "m.example/x"),
        ("a\x1b[2Jb", "\x1b", r"\x1b[2Jb"),
    ],
)
def test_no_line_shows_a_secret_or_controls_a_terminal(text: str, gone: str, kept: str) -> None:
    line = Masking().format(logging.makeLogRecord({"msg": text}))

    assert gone not in line
    assert kept in line

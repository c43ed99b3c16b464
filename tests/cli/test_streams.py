"""The standard streams: closed, broken, full, or of a terminal that lacks characters."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fleet import Fleet

_FLEET = f"{sys.executable} -m fleet"
_INVENTORY = "all:\n  hosts:\n    n[1-200]: {}\n"


@pytest.fixture
def folder(offline: Fleet) -> Path:
    offline.write("inventory.yaml", _INVENTORY)
    return offline.folder


def run(folder: Path, line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which `fleet` is fleet."""
    return subprocess.run(
        ["bash", "-c", f'fleet() {{ {_FLEET} "$@"; }}; {line}'],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
    )


CLOSED = {
    "stdout": "fleet inventory >&-",
    "stderr": "fleet inventory 2>&-",
    "stdin": "fleet inventory <&-",
    "all three": "fleet inventory <&- >&- 2>&-",
    "a reader that leaves": "fleet inventory | head -n 1; exit ${PIPESTATUS[0]}",
    "a reader of both that leaves": "fleet inventory 2>&1 | head -n 1; exit ${PIPESTATUS[0]}",
    "a reader that never reads": "fleet inventory | true; exit ${PIPESTATUS[0]}",
}


@pytest.mark.parametrize("line", CLOSED.values(), ids=CLOSED)
def test_output_that_nobody_takes_changes_nothing(folder: Path, line: str) -> None:
    done = run(folder, line)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_mistake_keeps_its_exit_code_without_any_stream(folder: Path) -> None:
    assert run(folder, "fleet inventory -l nobody >&- 2>&-").returncode == 2


def test_an_answer_that_could_not_be_written_is_a_failure(folder: Path) -> None:
    done = run(folder, "fleet inventory --json >/dev/full")

    assert done.returncode == 1
    assert done.stderr == "stdout cannot be written: No space left on device\n"


def test_a_file_that_is_opened_never_gets_the_number_of_a_closed_stream(folder: Path) -> None:
    code = (
        "import sys; from fleet.cli.streams import settle_streams; settle_streams();"
        "file = open('kept', 'w'); print('for nobody');"
        "sys.stderr.write(str(file.fileno())); file.write('whole')"
    )
    run(folder, f'{sys.executable} -c "{code}" >&- 2>number')

    assert (folder / "kept").read_text() == "whole"
    assert int((folder / "number").read_text()) > 2


TERMINALS = {
    "ASCII": {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    "the C locale": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "Latin-1": {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
}


@pytest.mark.parametrize("terminal", TERMINALS.values(), ids=TERMINALS)
def test_characters_that_a_terminal_lacks_are_written_as_escapes(
    folder: Path, terminal: dict[str, str]
) -> None:
    code = (
        "from fleet.cli.streams import settle_streams; settle_streams();"
        "from fleet.cli.output.tables import console;"
        "console(color=False).print('a \\u2026 \\u20ac b')"
    )
    done = run(folder, f'{sys.executable} -c "{code}"', **terminal)
    message = run(folder, "fleet inventory -l $'\\u20ac'", **terminal)

    assert done.stderr == ""
    assert done.stdout.startswith("a \\u2026 \\u20ac b")
    assert message.returncode == 2
    assert "has no node or group" in message.stderr


@pytest.mark.parametrize("columns", ["0", "-1", "wide", "9" * 30])
def test_a_terminal_of_no_width_is_one_of_the_usual_width(folder: Path, columns: str) -> None:
    code = (
        "from fleet.cli.streams import settle_streams; settle_streams();"
        "from fleet.cli.output.tables import console, table;"
        "table(('NODE', 'STATE'), [('n1', 'in sync')], console(color=False))"
    )
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": columns, "LINES": columns, "TERM": "xterm"}
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=theirs, stderr=theirs, env=environment, check=False
    )
    os.close(theirs)
    text = os.read(ours, 10_000).decode()
    os.close(ours)

    assert done.returncode == 0
    assert "NODE STATE" in text
    assert "n1   in sync" in text

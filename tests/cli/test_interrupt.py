"""Ctrl-C at any instant: the handler's own output must not end the rollout."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from fleet.cli.interrupt import stop_switch


class _Interrupted(io.RawIOBase):
    """A raw stream during whose first write the user presses Ctrl-C."""

    def __init__(self) -> None:
        self.pressed = False

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        if not self.pressed:
            self.pressed = True
            os.kill(os.getpid(), signal.SIGINT)
        return len(memoryview(content))  # type: ignore[arg-type]


def test_ctrl_c_during_a_write_to_the_terminal_stops_after_the_batch(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stream = io.TextIOWrapper(io.BufferedWriter(_Interrupted()), line_buffering=True)
    monkeypatch.setattr("sys.stderr", stream)

    with stop_switch(lambda: None) as switch:
        click.echo("[batch 1/4] w1: started", err=True)
        stopped = switch.pressed

    assert stopped
    assert "Stopping after the current batch." in capfd.readouterr().err


def test_the_second_ctrl_c_journals_the_stop_and_ends_at_once(tmp_path: Path) -> None:
    code = f"""
import os, signal, time
from pathlib import Path
from fleet.cli.interrupt import stop_switch
with stop_switch(lambda: Path({str(tmp_path / "left")!r}).write_text("left")) as switch:
    switch.second = lambda: "Stopped. 1 node"
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGINT)
    time.sleep(20)
"""

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert ran.returncode == 130
    assert ran.stderr.splitlines() == [
        "Stopping after the current batch.",
        "Press Ctrl-C again to stop immediately.",
        "Stopped. 1 node",
    ]
    assert (tmp_path / "left").read_text() == "left"

"""Ctrl-C at any instant: the handler's own output must not end the rollout."""

from __future__ import annotations

import io
import os
import signal

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

    with stop_switch(lambda: None, "20260101-000000-abcd") as stopping:
        click.echo("[batch 1/4] w1: started", err=True)
        stopped = stopping()

    assert stopped
    assert "stopping after this batch" in capfd.readouterr().err

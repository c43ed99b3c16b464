"""Scripted commands of a fake node: a Python function of this process answers each call."""

from __future__ import annotations

import os
import shlex
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FOLDER = ".fake"
"""The folder in a fake node's root through which calls and answers travel."""
SCRIPT = f"""#!/bin/sh
# A scripted command: the process that made this node answers it.
reply=/{FOLDER}/$$
mkfifo "$reply" || exit 125
printf '%s\\0' "$$" "$#" "${{0##*/}}" "$@" >/{FOLDER}/calls
. "$reply"
"""
"""The text of every scripted command. The call is one write, so calls do not mix."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one call of a scripted command."""

    stdout: str = ""
    code: int = 0
    stderr: str = ""

    @property
    def shell_code(self) -> str:
        """Return the shell code that gives this answer."""
        lines = []
        if self.stdout:
            lines.append(f"printf %s {shlex.quote(self.stdout)}")
        if self.stderr:
            lines.append(f"printf %s {shlex.quote(self.stderr)} >&2")
        return "\n".join((*lines, f"exit {self.code}\n"))


Command = Callable[[list[str]], Answer]
"""A scripted command: it takes its arguments and returns its answer."""


class CommandServer:
    """Answers the calls of scripted commands, each in a thread of its own."""

    def __init__(self, folder: Path, commands: dict[str, Command]) -> None:
        """Listen for calls in `folder`, the fake node's folder as this process sees it."""
        self._folder = folder
        self._commands = commands
        os.mkfifo(folder / "calls")
        # Opened for both ends, so that a caller need not wait for a reader, and the reader does
        # not see an end of file when a caller closes the FIFO.
        self._calls = os.open(folder / "calls", os.O_RDWR)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        os.write(self._calls, b"0\x000\x00\x00")
        self._thread.join()
        os.close(self._calls)

    def _listen(self) -> None:
        pending = b""
        while True:
            pending += os.read(self._calls, 1 << 16)
            while (call := _take_call(pending)) is not None:
                (pid, name, arguments), pending = call
                if pid == "0":
                    return
                threading.Thread(
                    target=self._answer, args=(pid, name, arguments), daemon=True
                ).start()

    def _answer(self, pid: str, name: str, arguments: list[str]) -> None:
        try:
            answer = self._commands[name](arguments)
        except Exception as error:  # noqa: BLE001 - the caller inside must not wait for ever
            answer = Answer(code=125, stderr=f"{name}: {type(error).__name__}: {error}\n")
        reply = self._folder / pid
        with suppress(OSError):  # a caller that was killed reads no answer
            reply.write_text(answer.shell_code)
            reply.unlink()


def _take_call(pending: bytes) -> tuple[tuple[str, str, list[str]], bytes] | None:
    """Split one whole call off what was read; return None if there is none yet."""
    pid, _, rest = pending.partition(b"\0")
    count, mark, rest = rest.partition(b"\0")
    if not mark:
        return None
    fields = rest.split(b"\0", int(count) + 1)
    if len(fields) < int(count) + 2:
        return None
    name, *arguments = (field.decode("utf-8", "surrogateescape") for field in fields[:-1])
    return (pid.decode(), name, arguments), fields[-1]

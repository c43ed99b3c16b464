"""Completion as bash, zsh and fish themselves do it."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleet.cli.shell_completion import split_line
from tests.cli.test_completers import FIRST, INVENTORY, MIRRORS, SECOND, begin
from tests.support.fleet import Fleet

BIN = str(Path(sys.executable).parent)


def needs(program: str) -> str:
    if shutil.which(program) is None:
        pytest.skip(f"no {program} on this machine")
    return program


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    (tmp_path / "mirrors.yaml").write_text(MIRRORS)
    (tmp_path / "labels.yaml").write_text('all: {children: {"label:pool=gpu": {hosts: {w1: }}}}')
    begin(tmp_path / ".fleet/journal.db", FIRST, SECOND)
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    path = f"{BIN}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "TERM": "dumb", "HOME": str(folder), "COLUMNS": "200"}


TYPED = {
    "fleet rollo": "fleet rollout ",
    "fleet probe -l wo": "fleet probe -l workers ",
    "fleet probe -l edge:wo": "fleet probe -l edge:workers ",
    "fleet probe -l 'edge:!edge1,wo": "fleet probe -l 'edge:!edge1,workers' ",
    "fleet probe -i labels.yaml -l label:pool=g": "label:pool=gpu ",
    "fleet probe --limit=edge:wo": "fleet probe --limit=edge:workers ",
    "fleet explain w1 har": "fleet explain w1 harbor.example:5000 ",
    "fleet undo 20261126": f"fleet undo {FIRST} ",
    "fleet -i inv": "fleet -i inventory.yaml ",
}


_SECONDS = 60
"""The time for a shell to show what is awaited."""


@dataclass
class Terminal:
    """A shell at its prompt."""

    descriptor: int

    def type(self, text: str, *awaited: str) -> str:
        """Type something, and read until all that is awaited has been shown."""
        os.write(self.descriptor, text.encode())
        shown, end = "", time.monotonic() + _SECONDS
        while not all(part in shown for part in awaited):
            ready, _, _ = select.select([self.descriptor], [], [], max(0, end - time.monotonic()))
            assert ready, f"{awaited!r} never came: {shown!r}"
            shown += os.read(self.descriptor, 4096).decode(errors="replace")
        return shown


@contextmanager
def prompt(folder: Path, *words: str) -> Iterator[Terminal]:
    child, descriptor = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execvpe(words[0], words, {**environment(folder), "PS1": "ready> "})
    try:
        yield Terminal(descriptor)
    finally:
        os.close(descriptor)
        os.waitpid(child, 0)


SHELLS = {
    "bash": ("bash", "--norc", "-i"),
    "zsh": ("zsh", "-f", "-i"),
}
START = '[ -n "$BASH" ] || { autoload -Uz compinit; compinit -u -D; }'


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_at_its_prompt(shell: str, folder: Path) -> None:
    with prompt(folder, *SHELLS[needs(shell)]) as terminal:
        source = f"source <(fleet completion {shell})"
        terminal.type(f"stty cols 200; {START}; {source}; echo se''t\n", "set\r\n")
        for typed, completed in TYPED.items():
            terminal.type(f"{typed}\t", completed)
            terminal.type("\x15", "\r")
        rollouts = (f"by me@here: OPS {rollout}" for rollout in (FIRST, SECOND))
        listed = terminal.type("fleet report \t\t", *rollouts)

    assert "error" not in listed


@pytest.mark.parametrize(("kind", "described"), [(9, True), (63, True), (37, False), (42, False)])
def test_bash_inserts_no_descriptions(kind: int, *, described: bool, folder: Path) -> None:
    """A user can bind a key that inserts all values (42), or one after the other (37)."""
    line = f"COMP_LINE='fleet report ' COMP_POINT=13 COMP_TYPE={kind}; _fleet_completion fleet"
    code = f"source <(fleet completion bash) 2>&-; {line}; printf '%s\\n' \"${{COMPREPLY[@]}}\""

    words = [needs("bash"), "--norc", "-c", code]
    ran = subprocess.run(
        words, env=environment(folder), cwd=folder, capture_output=True, text=True, check=True
    )

    assert FIRST in ran.stdout
    assert ("by me@here" in ran.stdout) is described


def test_fish_completes(folder: Path) -> None:
    lines = {**TYPED, "fleet report ": "last "}
    asked = "; ".join(f"complete -C {shlex.quote(line)} | head -n 1" for line in lines)
    ran = subprocess.run(
        [needs("fish"), "--no-config", "-c", f"fleet completion fish | source; {asked}"],
        env=environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )

    words = [re.sub(r".*[ ']", "", text.rstrip("' ")) for text in lines.values()]
    assert [line.partition("\t")[0] for line in ran.stdout.splitlines()] == words
    assert ran.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_variable_of_click_prints_the_same_script(shell: str, offline: Fleet) -> None:
    script = offline("completion", shell).stdout
    by_variable = offline("x", env={"_FLEET_COMPLETE": f"{shell}_source"})

    assert by_variable.stdout == script
    assert offline("completion", shell, "--json").json == {"shell": shell, "script": script}


SPLIT = {
    "": [""],
    "fleet ": ["fleet", ""],
    "fleet probe -l": ["fleet", "probe", "-l"],
    "fleet -l 'a b": ["fleet", "-l", "a b"],
    'fleet -l "a:!b" ': ["fleet", "-l", "a:!b", ""],
    "fleet -l a\\": ["fleet", "-l", "a"],
    "fleet # x": ["fleet", "#", "x"],
}


@pytest.mark.parametrize("line", SPLIT)
def test_a_line_is_split_at_the_cursor(line: str) -> None:
    assert split_line(line) == SPLIT[line]

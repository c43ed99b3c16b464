"""The pages that people read, and the command lines in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from fleet.cli.app import fleet
from tests.conftest import ROOT

TOP = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
OTHERS = ("benchmarks/README.md", "tests/lab/README.md")
PAGES = (*(ROOT / name for name in (*TOP, *OTHERS)), *sorted((ROOT / "docs").rglob("*.md")))
FENCE = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_ENDS = {"|", "||", "&&", ">", "<", ";", "&"}


def name(path: Path) -> str:
    """Return a page's path as test ids show it."""
    return str(path.relative_to(ROOT))


def command_lines(text: str) -> Iterator[list[str]]:
    """Yield the arguments of every `fleet ...` line in the shell blocks of a page."""
    for language, body in FENCE.findall(text):
        for line in body.replace("\\\n", " ").splitlines() if language in {"sh", "console"} else ():
            yield from _calls(line.strip().removeprefix("$ "))


def _calls(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    while "fleet" in words:
        words = words[words.index("fleet") + 1 :]
        end = next((at for at, word in enumerate(words) if word in _ENDS), len(words))
        if words[:end]:
            yield words[:end]


def parse(words: list[str]) -> None:
    """Parse a command line as click does, without running it; raise UsageError for a mistake."""
    command: click.Command = fleet
    words = list(words)
    while isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.commands.get(words[0])
        if found is None:
            raise click.UsageError(f"no such command: {words[0]}")
        command, words = found, words[1:]
    if command is not fleet:
        command.make_context("fleet", words)

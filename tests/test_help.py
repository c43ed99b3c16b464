"""Help, man pages and completion, as the shells and man themselves take them."""

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
from pathlib import Path

import click
import pytest
from click.core import ParameterSource

from fleet.cli.app import fleet
from fleet.cli.examples import EXAMPLES
from fleet.cli.man_pages import pages
from tests.support.fleet import Fleet

BIN = str(Path(sys.executable).parent)
ENV = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "TERM": "dumb"}
WORDS = [(name, line) for name, rows in EXAMPLES.items() for line, _ in rows]


def needs(program: str) -> str:
    if shutil.which(program) is None:
        pytest.skip(f"no {program} on this machine")
    return program


@pytest.mark.parametrize(("name", "line"), WORDS, ids=[line for _, line in WORDS])
def test_every_example_is_one_that_its_command_takes(name: str, line: str) -> None:
    head, *words = shlex.split(line)
    command: click.Command = fleet.commands[head]
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]

    context = command.make_context(head, words)
    given = {
        option
        for parameter in command.params
        if context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
        for option in parameter.opts
    }

    assert head == name
    options = [word.partition("=")[0] for word in words[: [*words, "--"].index("--")]]
    assert {word for word in options if word.startswith("-")} - given == set()


@pytest.mark.parametrize("name", sorted(fleet.commands))
def test_every_help_closes_with_examples(name: str) -> None:
    command = fleet.commands[name]

    text = command.get_help(click.Context(command, info_name=f"fleet {name}"))

    assert f"Examples:\n    fleet {name}" in text


def test_help_of_a_command_shows_its_examples(offline: Fleet) -> None:
    text = offline("rollout", "--help").stdout

    assert "  fleet rollout --batch 1,10%,25%\n" in text


def test_man_takes_every_page_without_a_warning(offline: Fleet) -> None:
    needs("man")
    ran = offline("man", "pages", "--json")
    found = ran.json["pages"]

    assert len(found) == len(fleet.commands) + 1
    for name, path in found.items():
        shown = subprocess.run(
            ["man", "--warnings", "-l", path],
            cwd=offline.folder,
            env={**ENV, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANROFFOPT": "-ww"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert (name, shown.stderr) == (name, "")
        assert "EXIT STATUS" in shown.stdout
    assert "fleet rollout --batch 1,10%,25%" in shown_page(found["fleet-rollout"], offline)


def shown_page(path: str, offline: Fleet) -> str:
    ran = subprocess.run(
        ["man", "-l", path], cwd=offline.folder, env=ENV, capture_output=True, text=True, check=True
    )
    return ran.stdout


def test_every_flag_stands_on_its_page() -> None:
    texts = {name: text.replace(r"\-", "-") for name, text in pages(fleet)}
    flags = [
        (f"fleet-{name}", parameter.opts[-1])
        for name, command in fleet.commands.items()
        for parameter in command.params
        if isinstance(parameter, click.Option)
    ]

    assert len(flags) > 100
    missing = [
        (page, flag)
        for page, flag in flags
        if not re.search(rf"(\\fB|[ /]){flag}(\\fR|[ ,/])", texts[page])
    ]
    assert missing == []


BASH = """eval "$(_FLEET_COMPLETE=bash_source fleet)"
COMP_WORDS=(fleet roll); COMP_CWORD=1; _fleet_completion fleet roll fleet
printf '%s\\n' "${COMPREPLY[@]}"
COMP_WORDS=(fleet rollout --on-failure roll); COMP_CWORD=3; COMPREPLY=()
_fleet_completion fleet roll --on-failure
printf '%s\\n' "${COMPREPLY[@]}"
"""


def test_bash_completes_commands_and_choices() -> None:
    ran = subprocess.run(
        [needs("bash"), "--norc", "-c", BASH], env=ENV, capture_output=True, text=True, check=True
    )

    assert sorted(ran.stdout.split()) == ["rollback", "rollback-all", "rollback-batch", "rollout"]


def test_fish_completes_commands_and_choices() -> None:
    line = "_FLEET_COMPLETE=fish_source fleet | source; complete -C 'fleet roll'; complete -C {}"
    asked = line.format(shlex.quote("fleet report x --format j"))
    ran = subprocess.run(
        [needs("fish"), "--no-config", "-c", asked],
        env=ENV,
        capture_output=True,
        text=True,
        check=True,
    )

    assert {each.split("\t")[0] for each in ran.stdout.splitlines()} == {
        "rollout",
        "rollback",
        "json",
        "junit",
    }


def test_zsh_completes_at_its_prompt() -> None:
    needs("zsh")
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], {**ENV, "PS1": "ready> "})
    try:
        setup = 'autoload -Uz compinit; compinit -u -D; eval "$(_FLEET_COMPLETE=zsh_source fleet)"'
        until(terminal, f"{setup}; echo se''t\n", "set\r\n")
        shown = until(terminal, "fleet rollo\t", "fleet rollout")
    finally:
        os.close(terminal)
        os.waitpid(child, 0)

    assert "fleet rollout" in shown


def until(terminal: int, typed: str, awaited: str, seconds: float = 60) -> str:
    """Type something, and read until what is awaited has been shown."""
    os.write(terminal, typed.encode())
    shown, end = "", time.monotonic() + seconds
    while awaited not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
        assert ready, f"{awaited!r} never came: {shown!r}"
        shown += os.read(terminal, 4096).decode(errors="replace")
    return shown

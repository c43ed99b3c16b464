"""Help and man pages, as man itself takes them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.core import ParameterSource

from fleet.cli.app import fleet
from fleet.cli.examples import EXAMPLES
from fleet.cli.help import sections, summary
from fleet.cli.man_pages import pages
from tests.support.fleet import Fleet

BIN = str(Path(sys.executable).parent)
ENV = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "TERM": "dumb"}
PATHS = [
    path
    for name, entry in fleet.commands.items()
    for path in (name, *(f"{name} {inner}" for inner in getattr(entry, "commands", ())))
]
WORDS = [(name, line) for name, rows in EXAMPLES.items() for line, _ in rows]


def needs(program: str) -> str:
    if shutil.which(program) is None:
        pytest.skip(f"no {program} on this machine")
    return program


def command_at(path: str) -> click.Command:
    command: click.Command = fleet
    for word in path.split():
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return command


def help_of(path: str) -> str:
    context = click.Context(command_at(path), info_name=f"fleet {path}", terminal_width=80)
    return command_at(path).get_help(context)


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


@pytest.mark.parametrize("name", PATHS)
def test_every_help_shows_examples_before_options(name: str) -> None:
    text = help_of(name)

    assert 0 < text.find(f"Examples:\n  fleet {name}") < text.find("Options:\n")


@pytest.mark.parametrize("name", PATHS)
def test_every_summary_is_short_and_whole(name: str) -> None:
    text = summary(command_at(name))

    assert 0 < len(text) <= 55
    assert not text.endswith(".")
    assert text in " ".join(help_of(name).split())


def test_every_command_is_in_a_section_of_the_first_page(offline: Fleet) -> None:
    listed = sections(fleet)
    shown = offline("--help").stdout

    assert "Commands" not in listed
    assert sorted(name for names in listed.values() for name in names) == sorted(fleet.commands)
    assert all(f"\n{title}:\n" in shown for title in listed)
    assert all(f"\n  {name} " in shown for name in fleet.commands)
    assert "..." not in shown.partition("ARGS]...")[2]
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("name", PATHS)
def test_help_fits_80_columns_and_has_no_formulas(name: str) -> None:
    text = help_of(name)

    assert max(map(len, text.splitlines())) <= 80
    assert not re.search(r"\w-$|^\s*/", text, re.MULTILINE)
    assert text.isascii()
    assert "<=x<=" not in text
    assert "x>=" not in text


def test_help_of_a_command_shows_its_examples(offline: Fleet) -> None:
    text = offline("rollout", "--help").stdout

    assert "\n  fleet rollout --batch 1,10%,25%\n      one node first" in text


UNUSED = {
    "check": {"--limit", "--ssh-config"},
    "history": {"--mirrors"},
    "report": {"--limit", "--mirrors", "--ssh-config"},
    "init": {"--limit", "--ssh-config"},
    "inventory": {"--mirrors", "--ssh-config"},
    "resume": {"--limit", "--exclude"},
    "run": {"--mirrors"},
    "schema": {"--inventory", "--mirrors", "--limit", "--ssh-config"},
}


@pytest.mark.parametrize("name", UNUSED)
def test_a_command_has_only_the_shared_flags_that_it_uses(name: str) -> None:
    flags = {option for parameter in fleet.commands[name].params for option in parameter.opts}

    assert flags & UNUSED[name] == set()
    assert {"--json", "--quiet", "--verbose", "--no-color", "--log"} <= flags


def test_a_limit_before_a_command_that_ignores_it_is_refused(offline: Fleet) -> None:
    ran = offline("-l", "current", "report", "last")

    assert (ran.code, offline("-l", "current", "inventory").code) == (2, 0)
    assert "fleet report does not take --limit" in ran.stderr
    assert "need --from-nodes" in offline("-l", "current", "history").stderr
    assert offline("-m", "other.yaml", "-F", "other", "history").code == 0


def test_an_older_name_still_works(offline: Fleet) -> None:
    assert offline("lock", "--help").stdout == offline("locks", "--help").stdout
    assert offline("schema", "output", "lock").stdout == offline("schema", "output", "locks").stdout


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

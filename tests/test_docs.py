"""README tells the truth: every command and every flag stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from fleet.cli.app import fleet
from fleet.cli.options import Exit
from fleet.core.outcome import NodeStatus

README = (Path(__file__).parents[1] / "README.md").read_text()


def flags() -> Iterator[tuple[str, str]]:
    for name, command in fleet.commands.items():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield name, parameter.opts[-1]


@pytest.mark.parametrize("name", fleet.commands)
def test_every_command_is_documented_and_has_help(name: str) -> None:
    assert f"`fleet {name}" in README
    assert fleet.commands[name].help


@pytest.mark.parametrize(("command", "flag"), sorted(set(flags())))
def test_every_flag_is_documented_and_has_help(command: str, flag: str) -> None:
    option = next(p for p in fleet.commands[command].params if flag in p.opts)
    assert flag in README
    assert isinstance(option, click.Option)
    assert option.help


def test_every_exit_code_and_status_is_documented() -> None:
    assert all(f"| {code.value} |" in README for code in Exit)
    final = set(NodeStatus) - {NodeStatus.RUNNING}
    assert all(f"`{status}`" in README for status in final)

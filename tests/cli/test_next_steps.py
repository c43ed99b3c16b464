"""Command lines that go on: they have the options of the present one, and can be pasted."""

from __future__ import annotations

import io
import shlex
from collections.abc import Callable, Iterator

import click
import pytest
from rich.console import Console

from fleet.cli.app import fleet
from fleet.cli.next_steps import (
    NextStep,
    command_line,
    next_lines,
    other_command,
    pasteable,
    print_next,
    same_command,
    same_exclude,
)
from fleet.cli.prompts import DeclinedError, ask, require_terminal
from fleet.errors import FleetError


@pytest.fixture
def inside() -> Iterator[Callable[[str], None]]:
    """Return a function that enters the context of a command line."""
    entered: list[click.Context] = []

    def enter(line: str) -> None:
        _, *words = shlex.split(line)
        place = next(number for number, word in enumerate(words) if word in fleet.commands)
        root = fleet.make_context("fleet", words[: place + 1])
        name, rest = words[place], words[place + 1 :]
        context = fleet.commands[name].make_context(name, rest, parent=root)
        for each in (root, context):
            each.__enter__()
            entered.append(each)

    yield enter
    for context in reversed(entered):
        context.__exit__(None, None, None)


SAME = {
    "no options": ("fleet rollout", "fleet resume r1"),
    "files and login": (
        "fleet -i 'my hosts.yaml' rollout -K -m m.yaml -F ssh.cfg --journal j.db --engine dask",
        "fleet resume r1 --journal j.db -K --engine dask -i 'my hosts.yaml' -m m.yaml -F ssh.cfg",
    ),
    "what another command does not take": (
        "fleet rollout -y --batch 3 --pause 5 -l w1 --json",
        "fleet resume r1",
    ),
}


@pytest.mark.parametrize(("line", "expected"), SAME.values(), ids=SAME)
def test_a_further_command_has_the_files_and_the_login(
    inside: Callable[[str], None], line: str, expected: str
) -> None:
    inside(line)

    assert command_line("resume", "r1") == expected
    assert pasteable("settle it by `fleet resume r1`") == f"settle it by `{expected}`"


def test_outside_of_a_command_a_line_has_no_options() -> None:
    assert command_line("resume", "r1") == "fleet resume r1"
    assert pasteable("run `fleet probe` or `ssh -v w1`") == "run `fleet probe` or `ssh -v w1`"


def test_the_same_command_keeps_what_selects_and_limits(inside: Callable[[str], None]) -> None:
    inside("fleet rollout -y -q --batch 1,2 --pause 2.5 --rerun failed r0 -x 'w[1-3]' --keep")

    assert same_command("--skip-unreachable") == (
        "fleet rollout --rerun failed r0 --keep --batch 1,2 --pause 2.5 -x 'w[1-3]'"
        " --skip-unreachable"
    )
    assert same_command(exclude=same_exclude("w9")).endswith(" --pause 2.5 -x 'w[1-3]:w9'")


def test_another_change_of_the_same_nodes_drains_them_too(inside: Callable[[str], None]) -> None:
    given = "--drain --drain-timeout 900 --not-ready skip --kube-context lab --batch 3"
    inside(f"fleet rollout {given}")

    drain = "--kube-context lab --drain --drain-timeout 900 --not-ready skip"
    assert command_line("undo", "r1") == f"fleet undo r1 {drain}"
    assert command_line("rollout", "--rerun", "failed", "r1").endswith(drain)
    assert command_line("resume", "r1") == "fleet resume r1 --kube-context lab"
    assert command_line("probe") == "fleet probe"


def test_a_choice_that_was_turned_off_is_not_turned_on(inside: Callable[[str], None]) -> None:
    inside("fleet resume --no-drain r1")

    assert same_command() == "fleet resume r1 --no-drain"
    assert command_line("undo", "r1") == "fleet undo r1"


def test_another_command_takes_the_options_that_both_have(inside: Callable[[str], None]) -> None:
    inside("fleet -F cfg diff --exit-code --stat --keep -l w1 -i hosts.yaml")

    assert other_command("rollout") == "fleet rollout --keep -i hosts.yaml -l w1 -F cfg"
    assert (
        other_command("diff", limit="w[1-2]")
        == "fleet diff --keep -i hosts.yaml -F cfg -l 'w[1-2]'"
    )
    assert other_command("mirrors test") == "fleet mirrors test -i hosts.yaml -l w1 -F cfg"


def test_the_same_command_keeps_its_arguments(inside: Callable[[str], None]) -> None:
    inside("fleet undo 20260101-000000-abcd --dry-run")

    assert same_command(limit="w1") == "fleet undo 20260101-000000-abcd -l w1"


def test_a_command_has_a_line_of_its_own() -> None:
    steps = [NextStep("finish it", "fleet resume r1"), NextStep("undo it", "fleet undo r1")]

    assert list(next_lines([])) == []
    assert list(next_lines(steps)) == [
        "Next:",
        "  finish it:",
        "    fleet resume r1",
        "  undo it:",
        "    fleet undo r1",
    ]


def test_a_command_is_not_broken_at_the_edge_of_the_terminal() -> None:
    file = io.StringIO()
    out = Console(file=file, width=40, force_terminal=True, no_color=True, soft_wrap=True)
    command = f"fleet resume r1 -i {'x' * 60}"

    print_next([NextStep("finish it", command)], out)

    assert f"    {command}" in file.getvalue()


def test_a_declined_question_says_what_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\ny\n"))
    steps = [NextStep("apply it", "fleet rollout -y")]

    with pytest.raises(DeclinedError) as raised:
        ask("Change 1 node?", "Nothing was changed.", steps)
    ask("Change 1 node?", "Nothing was changed.", steps)

    assert str(raised.value).splitlines() == [
        "Nothing was changed.", "Next:", "  apply it:", "    fleet rollout -y",
    ]  # fmt: skip
    with pytest.raises(FleetError, match="not a terminal: add --yes to apply"):
        require_terminal("apply")

"""README tells the truth: every command and every flag stands in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from fleet.cli.app import fleet
from fleet.cli.options import Exit
from fleet.core.containerd.features import Feature, Span
from fleet.core.model.outcome import NodeStatus

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
CONTAINERD = (ROOT / "docs" / "containerd.md").read_text()


def walked(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{prefix}{name}", command
        if isinstance(command, click.Group):
            yield from walked(command, f"{prefix}{name} ")


COMMANDS = dict(walked(fleet))


def flags() -> Iterator[tuple[str, str]]:
    for name, command in COMMANDS.items():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield name, parameter.opts[-1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_and_has_help(name: str) -> None:
    assert f"`fleet {name}" in README
    assert COMMANDS[name].help


def about(command: str) -> str:
    """Return what README says of a command's flags: its own rows, and those of all commands."""
    lines, _, changing = README.partition("| flag of rollout and rollback | meaning |")
    of_all = ("Every command takes", "Commands that connect take")
    own = [
        line for line in lines.split("\n") if f"`fleet {command}" in line or line.startswith(of_all)
    ]
    table = changing.partition("\n\n")[0] if command in {"rollout", "rollback"} else ""
    return "\n".join([*own, table])


@pytest.mark.parametrize(("command", "flag"), sorted(set(flags())))
def test_every_flag_is_documented_and_has_help(command: str, flag: str) -> None:
    option = next(p for p in COMMANDS[command].params if flag in p.opts)
    words = re.findall(r"(?<![\w-])--?[a-z][\w-]*", about(command))
    assert set(option.opts) & set(words)
    assert isinstance(option, click.Option)
    assert option.help


def test_every_exit_code_and_status_is_documented() -> None:
    assert all(f"| {code.value} |" in README for code in Exit)
    final = {each for each in NodeStatus if each.shown is each and not each.in_flight}
    assert all(f"`{status}`" in README for status in final)


def spans(found: tuple[Span, ...]) -> str:
    words = []
    for since, until in found:
        first, end = (".".join(str(number) for number in each) for each in (since, until))
        if since == (0, 0, 0):
            words.append(f"before {end}")
        else:
            words.append(f"{first} and newer" if until[0] == 999 else f"{first} to before {end}")
    return ", ".join(words)


@pytest.mark.parametrize("feature", Feature, ids=lambda feature: feature.name)
def test_the_table_of_releases_is_the_one_that_decides(feature: Feature) -> None:
    row = feature.value
    mark = "tried" if row.seen else "read"

    assert f"| {spans(row.spans)} | {row.fact} | {row.source} | {mark} |" in CONTAINERD


def test_every_conflict_is_documented() -> None:
    sources = (ROOT / "fleet" / "core").rglob("*.py")
    said = "".join(path.read_text() for path in sources if "indings" in path.read_text())
    codes = set(re.findall(r'(?:Finding\(|code = |yield )"([a-z-]+)"', said))

    assert len(codes) >= 8
    assert {code for code in codes if f"`{code}`" not in CONTAINERD} == set()


def test_every_page_stands_in_the_index_and_its_links_lead_somewhere() -> None:
    docs = ROOT / "docs"
    index = (docs / "README.md").read_text()

    assert {page.name for page in docs.glob("*.md")} - {"README.md"} <= set(
        re.findall(r"\]\(([\w-]+\.md)\)", index)
    )
    for page in (ROOT / "README.md", *docs.glob("*.md")):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), (page.name, link)

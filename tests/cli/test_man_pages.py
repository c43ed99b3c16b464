"""Man pages: one for each command, with its options, and safe for troff."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from fleet.cli.man_pages import pages, write
from fleet.errors import FleetError


@click.group()
def group() -> None:
    """Keep nodes in order. More of it."""


@group.command()
@click.argument("path")
@click.option("--deep-down", help="How far; it's 'deep'.")
def check(path: str, deep_down: str) -> None:
    """Check a file.

    .It is read whole,
    then judged.

    \\Nothing is written.
    """


@group.group()
def mirrors() -> None:
    """Look at mirrors."""


@mirrors.command("test")
@click.option("--write", is_flag=True, help="Write the order.")
def try_them(*, write: bool) -> None:
    """Test every mirror."""


PAGES = dict(pages(group))


def section(page: str, name: str) -> str:
    """Return the text of one section."""
    return PAGES[page].partition(f".SH {name}\n")[2].partition("\n.SH ")[0]


def test_every_command_has_a_page() -> None:
    assert list(PAGES) == ["fleet", "fleet-check", "fleet-mirrors"]


def test_a_page_begins_with_its_name_and_a_summary() -> None:
    assert section("fleet-check", "NAME") == r"fleet\-check \- check a file"
    assert section("fleet", "NAME") == r"fleet \- keep nodes in order. More of it"


def test_the_first_page_lists_the_commands() -> None:
    commands = section("fleet", "COMMANDS").splitlines()

    assert commands == [
        ".SS Start",
        ".TP",
        r"\fBfleet\-check\fR(1)",
        "Check a file",
        ".SS Look",
        ".TP",
        r"\fBfleet\-mirrors\fR(1)",
        "Look at mirrors",
    ]


def test_a_page_has_its_usage_and_its_options() -> None:
    assert section("fleet-check", "SYNOPSIS") == r"\fBfleet check\fR [OPTIONS] PATH"
    options = section("fleet-check", "OPTIONS").splitlines()
    assert options[:4] == [
        ".SS Options",
        ".TP",
        r"\fB\-\-deep\-down TEXT\fR",
        r"How far; it\(aqs \(aqdeep\(aq.",
    ]


def test_a_paragraph_is_one_line_that_troff_takes_for_text() -> None:
    assert section("fleet-check", "DESCRIPTION").splitlines() == [
        "Check a file.",
        ".PP",
        r"\&.It is read whole, then judged.",
        ".PP",
        r"\eNothing is written.",
    ]


def test_a_subcommand_has_a_section_of_its_own() -> None:
    lines = section("fleet-mirrors", "TEST").splitlines()

    assert lines[:2] == ["Test every mirror.", ".SS Options"]
    assert lines[2:5] == [".TP", r"\fB\-\-write\fR", "Write the order."]


def test_examples_come_before_options() -> None:
    names = re.findall(r"^\.SH (.*)$", PAGES["fleet-check"], re.MULTILINE)

    assert names.index("EXAMPLES") < names.index("OPTIONS")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_ends_with_what_all_share(page: str) -> None:
    names = re.findall(r"^\.SH (.*)$", PAGES[page], re.MULTILINE)

    assert names[-3:] == ["EXIT STATUS", "FILES", "SEE ALSO"]
    codes = re.findall(r"^\\fB(\d+)\\fR$", section(page, "EXIT STATUS"), re.MULTILINE)
    assert codes == ["0", "1", "2", "3", "4", "5", "130"]


def test_pages_are_written_into_a_new_folder(tmp_path: Path) -> None:
    folder = tmp_path / "man" / "man1"

    paths = write(group, str(folder))

    assert paths == {name: str(folder / f"{name}.1") for name in PAGES}
    assert {name: (folder / f"{name}.1").read_text() for name in PAGES} == PAGES


def test_a_folder_that_cannot_be_made_ends_the_command(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(FleetError, match=r"cannot be written \(Not a directory\)"):
        write(group, str(tmp_path / "file" / "man"))

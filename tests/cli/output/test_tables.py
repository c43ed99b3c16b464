"""The console: tables, JSON without secrets, and a terminal's width and color."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from fleet.cli.output.tables import console, print_json, table


def printed(
    columns: tuple[str, ...], rows: list[tuple[str, ...]], terminal: int | None = None
) -> list[str]:
    """Return the lines of a table as a pipe gets them, or a terminal of this width."""
    out = Console(
        file=io.StringIO(),
        width=terminal or 80,
        force_terminal=terminal is not None,
        color_system=None,
        markup=False,
    )
    table(columns, rows, out)
    return str(out.file.getvalue()).splitlines()  # type: ignore[attr-defined]


def test_columns_are_as_wide_as_their_longest_cell() -> None:
    assert printed(("A", "LONG", "B"), [("1", "2", "3"), ("four", "5", "")]) == [
        "A    LONG B",
        "1    2    3",
        "four 5",
    ]


def test_a_table_without_rows_has_its_head() -> None:
    assert printed(("A", "B"), []) == ["A B"]


def test_no_cell_can_control_a_terminal() -> None:
    assert printed(("A",), [("x\x1b[2J",)]) == ["A", r"x\x1b[2J"]


def test_markup_of_a_node_is_printed_as_it_is() -> None:
    assert printed(("A",), [("[red]x[/red]",)]) == ["A", "[red]x[/red]"]


def test_a_narrow_terminal_gets_row_by_row() -> None:
    rows = [("w1.example.net", "converged", ""), ("w2", "", "a note")]

    assert printed(("NODE", "STATUS", ""), rows, 30) == [
        "NODE           STATUS",
        "w1.example.net converged",
        "w2",
        "  a note",
    ]


def test_a_column_that_does_not_fit_goes_below_its_row() -> None:
    rows = [("w1", "failed", "x" * 80), ("w2", "converged", "-")]

    assert printed(("NODE", "STATUS", "TEXT"), rows, 90) == [
        "NODE STATUS",
        "w1   failed",
        "  text: " + "x" * 80,
        "w2   converged",
    ]


def test_hidden_columns_are_left_out() -> None:
    out = Console(file=io.StringIO(), width=80)

    table(("NODE", "BY", "STATUS"), [("w1", "eve", "failed")], out, hidden=("BY",))

    assert str(out.file.getvalue()) == "NODE STATUS\nw1   failed\n"  # type: ignore[attr-defined]


def test_many_nodes_with_equal_rows_share_one() -> None:
    rows = [(f"w{number:02}", "in sync" if number < 20 else "failed") for number in range(1, 31)]

    assert printed(("NODE", "STATE"), rows) == [
        "NODE          STATE",
        "w[01-19] (19) in sync",
        "w[20-30] (11) failed",
    ]


def test_a_wide_character_takes_two_columns() -> None:
    assert printed(("A", "B"), [("\u5317\u4eac", "1"), ("x", "2")]) == [
        "A    B",
        "\u5317\u4eac 1",
        "x    2",
    ]


def test_a_state_has_its_color() -> None:
    out = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="standard")

    table(("NODE", "STATE"), [("w1", "in sync"), ("w2", "unreachable")], out)

    text = str(out.file.getvalue())  # type: ignore[attr-defined]
    assert "\x1b[32min sync\x1b[0m" in text
    assert "\x1b[31munreachable\x1b[0m" in text


def test_json_is_one_document_in_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"ü": [1, None, True]})

    text = capsys.readouterr().out
    assert text.isascii()
    assert json.loads(text) == {"ü": [1, None, True]}
    assert text.startswith("{\n  ")


def test_json_shows_no_login_of_a_url(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"url": "https://eve:hunter2@mirror.example/x"})

    text = capsys.readouterr().out
    assert "hunter2" not in text
    assert "mirror.example/x" in text


def test_the_console_shows_no_login_of_a_url(capsys: pytest.CaptureFixture[str]) -> None:
    console(color=False).print("https://eve:hunter2@mirror.example/x")

    text = capsys.readouterr().out
    assert "hunter2" not in text
    assert "mirror.example/x" in text


@pytest.mark.parametrize("stderr", [False, True])
def test_the_console_writes_to_the_stream_that_is_asked_for(
    capsys: pytest.CaptureFixture[str], *, stderr: bool
) -> None:
    console(color=True, stderr=stderr).print("[bold]x[/bold] :smile: 123")

    written = capsys.readouterr()
    assert (written.err if stderr else written.out) == "[bold]x[/bold] :smile: 123\n"
    assert (written.out if stderr else written.err) == ""


def test_a_line_for_a_pipe_is_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    console(color=False).print("word " * 100)

    assert capsys.readouterr().out.count("\n") == 1

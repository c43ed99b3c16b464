"""The timeline as SVG: where each bar stands, its colour, and its text."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from fleet.core.report.style import TONES
from fleet.core.report.timeline import overview, timeline
from tests.support.reports import node, report

Attributes = dict[str, str]


def svg(picture: str) -> ElementTree.Element:
    """Parse the picture of a timeline."""
    return ElementTree.fromstring(picture[: picture.index("</svg>") + 6].partition(">")[2])


def bars(picture: str) -> list[tuple[str, float, float, str]]:
    """Return each bar's colour, its left edge, its width and its title."""
    return [
        (str(bar.get("class")), float(bar.get("x", 0)), float(bar.get("width", 0)), title)
        for bar in svg(picture).iter("rect")
        for title in [bar.findtext("title") or ""]
    ]


def step(name: str, began: float, ended: float | None, status: str | None) -> dict[str, Any]:
    return {"step": name, "began": began, "ended": ended, "status": status}


def test_each_step_is_a_bar_from_its_start_to_its_end() -> None:
    assert bars(timeline(report({"a": node()}), TONES)) == [
        ("stage", 170.0, 195.0, "a: stage, 0 to 1 s, staged"),
        ("good", 560.0, 390.0, "a: activate, 2 to 4 s, converged"),
    ]


COLOURS = {
    "staged": (step("stage", 0, 1, "staged"), "stage"),
    "still staging": (step("stage", 0, 1, None), "stage"),
    "a staging that failed": (step("stage", 0, 1, "failed"), "bad"),
    "converged": (step("activate", 0, 1, "converged"), "good"),
    "rolled back": (step("activate", 0, 1, "rolled_back"), "warn"),
    "degraded": (step("activate", 0, 1, "degraded"), "bad"),
    "running": (step("activate", 0, 1, None), "busy"),
}


@pytest.mark.parametrize(("item", "colour"), COLOURS.values(), ids=list(COLOURS))
def test_a_bar_has_the_colour_of_its_end(item: dict[str, Any], colour: str) -> None:
    (bar,) = bars(timeline(report({"a": node(steps=[item])}), TONES))

    assert bar[0] == colour


def test_a_step_that_is_open_reaches_the_end_of_the_picture() -> None:
    nodes = {"a": node(), "b": node(steps=[step("activate", 1, None, None)])}

    assert bars(timeline(report(nodes), TONES))[-1] == (
        "busy",
        365.0,
        585.0,
        "b: activate, 1 to 4 s, open",
    )


def test_a_very_short_step_is_still_seen() -> None:
    steps = [step("stage", 0, 0.001, "staged"), step("activate", 0, 100, "converged")]

    assert bars(timeline(report({"a": node(steps=steps)}), TONES))[0][2] == 2.0


def test_rows_are_below_each_other() -> None:
    picture = svg(timeline(report({"a": node(), "b": node()}), TONES))

    assert [bar.get("y") for bar in picture.iter("rect")] == ["34", "34", "56", "56"]
    assert picture.get("viewBox") == "0 0 970 86"


def texts(picture: str) -> list[str]:
    return [str(text.text) for text in svg(picture).iter("text")]


def test_the_grid_has_round_seconds() -> None:
    assert texts(timeline(report({"a": node()}), TONES)) == ["0 s", "1 s", "2 s", "3 s", "4 s", "a"]


@pytest.mark.parametrize(
    ("total", "marks"),
    [(8, 9), (9, 5), (16, 9), (17, 4), (40, 9), (41, 5), (700, 8)],
)
def test_the_grid_has_at_most_eight_steps(total: float, marks: int) -> None:
    item = step("activate", 0, total, "converged")

    shown = texts(timeline(report({"a": node(steps=[item])}), TONES))

    assert sum(text.endswith(" s") for text in shown) == marks


def test_a_long_name_is_shortened() -> None:
    assert texts(timeline(report({"a" * 24: node()}), TONES))[-1] == "a" * 22 + "…"
    assert texts(timeline(report({"a" * 23: node()}), TONES))[-1] == "a" * 23


def test_a_name_is_text_and_not_markup() -> None:
    assert "<b>" not in timeline(report({"<b>\x1b": node()}), TONES)


def test_nodes_without_steps_are_left_out() -> None:
    assert texts(timeline(report({"a": node(steps=[]), "b": node()}), TONES))[-1] == "b"


def test_without_any_step_there_is_no_picture() -> None:
    assert timeline(report({"a": node(steps=[])}), TONES) == ""


def test_a_line_marks_the_start_of_each_batch() -> None:
    batches = [
        {"number": 1, "began": 2.0, "nodes": ["a"]},
        {"number": 2, "began": None, "nodes": []},
    ]

    picture = svg(timeline(report({"a": node()}, batches=batches), TONES))

    lines = [line for line in picture.iter("line") if line.find("title") is not None]
    assert [(line.get("x1"), line.findtext("title")) for line in lines] == [("560.0", "batch 1")]


def test_very_many_nodes_are_cut() -> None:
    nodes = {f"n{number}": node(steps=[step("stage", 0, 1, "staged")]) for number in range(302)}

    picture = timeline(report(nodes), TONES)

    assert len(bars(picture)) == 300
    assert "and 2 more nodes" in picture


def test_three_hundred_nodes_are_all_shown() -> None:
    nodes = {f"n{number}": node(steps=[step("stage", 0, 1, "staged")]) for number in range(300)}

    assert "more nodes" not in timeline(report(nodes), TONES)


# -- the overview ---------------------------------------------------------------------------------


def test_a_batch_is_one_bar_from_its_start_to_its_last_end() -> None:
    nodes = {"a": node(), "b": node("rolled_back", steps=[step("activate", 3, 8, "rolled_back")])}

    assert bars(overview(report(nodes), TONES)) == [
        ("warn", 365.0, 585.0, "1 converged, 1 rolled back")
    ]


WORST = {
    "all is well": (["converged", "unchanged"], "good"),
    "a warning": (["converged", "stale"], "warn"),
    "a failure": (["converged", "stale", "failed"], "bad"),
    "nothing that ended": (["running"], "busy"),
    "pending": (["pending"], "busy"),
}


@pytest.mark.parametrize(("statuses", "colour"), WORST.values(), ids=list(WORST))
def test_a_batch_has_the_colour_of_its_worst_node(statuses: list[str], colour: str) -> None:
    nodes = {str(number): node(status) for number, status in enumerate(statuses)}

    (bar,) = bars(overview(report(nodes), TONES))

    assert bar[0] == colour


def test_a_batch_has_its_number_and_its_nodes() -> None:
    picture = overview(report({"a": node(), "b": node()}), TONES)

    assert "batch 1 (2)" in texts(picture)
    assert "2 converged" in texts(picture)


def test_a_batch_that_did_not_begin_is_left_out() -> None:
    batches = [{"number": 1, "began": None, "nodes": ["a"]}]

    assert overview(report({"a": node()}, batches=batches), TONES) == ""


def test_a_summary_at_the_right_edge_stands_before_its_bar() -> None:
    batches = [
        {"number": 1, "began": 0.0, "nodes": ["a"]},
        {"number": 2, "began": 90.0, "nodes": ["b"]},
    ]
    nodes = {
        "a": node(steps=[step("activate", 0, 10, "converged")]),
        "b": node(steps=[step("activate", 90, 100, "converged")]),
    }

    picture = svg(overview(report(nodes, batches=batches), TONES))

    summaries = [text for text in picture.iter("text") if text.text == "1 converged"]
    assert [(text.get("x"), text.get("text-anchor")) for text in summaries] == [
        ("254.0", None),
        ("866.0", "end"),
    ]

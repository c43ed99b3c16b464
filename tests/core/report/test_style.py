"""The colours and marks of a report."""

from __future__ import annotations

import re

import pytest

from fleet.core.model.outcome import NodeStatus
from fleet.core.report.style import MARKS, STYLE, TONES

FINAL = sorted(
    {status.shown.value for status in NodeStatus if not status.in_flight}, key=list(TONES).index
)


def test_every_status_in_which_a_node_may_end_has_a_colour_and_a_mark() -> None:
    assert list(TONES) == FINAL
    assert list(MARKS) == FINAL


@pytest.mark.parametrize("tone", sorted(set(TONES.values())))
def test_every_colour_is_defined_for_text_and_for_the_picture(tone: str) -> None:
    assert re.search(rf"(?<!svg )\.{tone} {{ color:", STYLE)
    assert f"svg .{tone} {{ fill:" in STYLE


def test_every_variable_is_defined_for_a_light_and_a_dark_ground() -> None:
    used = set(re.findall(r"var\(--(\w+)\)", STYLE))
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)

    assert used == set(re.findall(r"--(\w+):", light)) == set(re.findall(r"--(\w+):", dark))


def test_the_style_loads_nothing() -> None:
    assert not re.search(r"url\(|@import", STYLE)

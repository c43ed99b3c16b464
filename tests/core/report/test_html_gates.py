"""The section of the report's page about the gates of a cluster."""

from __future__ import annotations

from tests.core.report.test_html import page
from tests.support.reports import node


def test_what_the_gates_of_a_cluster_noted_has_a_section_and_is_escaped() -> None:
    noted = {
        "batch": 1, "when": "after", "notes": ["a: <b>odd</b>"], "held": {}, "excused": [],
        "flagged": {}, "unavailable": {}, "halt": None, "waited": 34.0,
    }  # fmt: skip

    found = page({"a": node()}, gates=[noted])

    assert "Cluster" in found.texts["h2"]
    assert "a: <b>odd</b>" in found.texts["p"]

"""Findings as one line of text."""

from __future__ import annotations

from fleet.core.model.finding import Finding, FindingEffect


def test_a_finding_is_one_line_that_begins_with_its_place() -> None:
    finding = Finding("legacy", FindingEffect.HEALS, "/a.toml:3", "mirrors are legacy")

    assert str(finding) == "/a.toml:3: mirrors are legacy"


def test_a_very_long_word_of_a_node_is_shortened() -> None:
    finding = Finding("legacy", FindingEffect.NOTES, "/a.toml", f"x{'y' * 5000}z is odd")

    assert len(str(finding)) < 300
    assert str(finding).endswith("yz is odd")


def test_a_finding_does_not_keep_cri_from_loading_by_default() -> None:
    assert not Finding("legacy", FindingEffect.NOTES, "/a", "b").stops_cri


def test_the_effects_are_named_as_in_the_output() -> None:
    assert [*FindingEffect] == ["heals", "refuses", "notes"]

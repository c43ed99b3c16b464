"""Numbers with their nouns."""

from __future__ import annotations

import pytest

from fleet.core.text.counts import counted


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 nodes"), (1, "1 node"), (2, "2 nodes"), (21, "21 nodes")]
)
def test_a_noun_agrees_with_its_number(number: int, text: str) -> None:
    assert counted(number, "node") == text


def test_an_irregular_plural_is_given() -> None:
    assert counted(2, "registry", "registries") == "2 registries"
    assert counted(1, "registry", "registries") == "1 registry"

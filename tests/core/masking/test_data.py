"""Data before it is printed: logins leave the URLs, everything else stays."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.core.masking.data import clean_data, without_logins

DATA: dict[str, tuple[Any, Any]] = {
    "a text": ("see https://u:p@h", "see https://***@h"),
    "an escaped login": ("https://u:p%40h", "https://***%40h"),
    "a list": (["https://u:p@h", 1], ["https://***@h", 1]),
    "a tuple becomes a list": (("https://u:p@h",), ["https://***@h"]),
    "a value of a mapping": ({"url": "https://u:p@h"}, {"url": "https://***@h"}),
    "a key of a mapping": ({"https://u:p@h": None}, {"https://***@h": None}),
    "a key that is not a text": ({1: "a"}, {"1": "a"}),
    "deep down": ([{"a": [{"b": "x:y@z"}]}], [{"a": [{"b": "***@z"}]}]),
    "a number": (1.5, 1.5),
    "a boolean": (True, True),
    "nothing": (None, None),
}


@pytest.mark.parametrize(("data", "clean"), DATA.values(), ids=list(DATA))
def test_logins_are_removed_from_data(data: Any, clean: Any) -> None:
    assert clean_data(data) == clean


def test_the_data_itself_is_not_changed() -> None:
    data = {"urls": ["https://u:p@h"]}

    clean_data(data)

    assert data == {"urls": ["https://u:p@h"]}


def test_a_text_without_an_at_sign_is_the_same() -> None:
    text = "registry.corp.test:5000/x"

    assert without_logins(text) is text

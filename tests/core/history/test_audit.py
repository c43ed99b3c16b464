"""The audit logs of nodes, and what is written into them."""

from __future__ import annotations

import pytest

from fleet.core.history.audit import MESSAGE_LENGTH, clean_message, clean_operator

CLEANED = {
    "OPS-12: replace a dead mirror": "OPS-12: replace a dead mirror",
    "two\nlines\tand  a tab\r\n": "two lines and a tab",
    "\x1b[31mred\x07 \u202eright to left\x9b": "[31mred right to left",
    "of another encoding \udce4": "of another encoding",
    "镜像更换": "镜像更换",
    "the new one is https://eve:pa55word@mirror.example": "the new one is https://***@mirror.example",
    "password: hunter2": "password: ***",
    "password:\nhunter2": "password: ***",
    "rotated s3cr3t-of-harbor": "rotated ***",
    "": "",
}


@pytest.mark.parametrize("given", CLEANED)
def test_a_message_is_one_line_without_secrets(given: str) -> None:
    assert clean_message(given, {"s3cr3t-of-harbor"}) == CLEANED[given]
    assert clean_message(clean_message(given)) == clean_message(given)


def test_a_message_has_a_bounded_length() -> None:
    cut = clean_message("long " * 1000)

    assert len(cut) == MESSAGE_LENGTH
    assert cut.endswith("\u2026")
    assert clean_message("x" * MESSAGE_LENGTH) == "x" * MESSAGE_LENGTH


def test_an_operator_is_one_line() -> None:
    assert clean_operator("eve\nroot\t@\x1bhost") == "eve root @ host"
    assert len(clean_operator("x" * 1000)) == 100

"""Messages of mistakes: harmless on a terminal, and short enough to be read."""

from __future__ import annotations

import pytest

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.finding import Finding, FindingEffect
from fleet.errors import Problem, printable, shortened

WORD = "a" * 20_000


def test_words_that_nobody_could_read_are_cut() -> None:
    texts = (
        str(Problem("i", 1, 1, f"unknown key {WORD!r}")),
        NodeError(
            FailureKind.CONFLICT, Step.PLAN, f"config_path {WORD} is odd", "fix it"
        ).failure.message,
        str(Finding("x", FindingEffect.NOTES, "/f:1", f"knows no capability {WORD!r}")),
    )

    for text in texts:
        assert len(text) < 300
        assert "a\u2026a" in text
    assert texts[1].endswith(" is odd")


def test_words_that_messages_have_are_whole() -> None:
    text = f"https://{'host.' * 12}example/{'path/' * 40} sha256:{'0' * 64} {'x ' * 5000}"

    assert shortened(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\x1b[31m", "a\\x1b[31m"), ("\u20ac\u2028", "\u20ac\\u2028"), ("\ud800", "\\ud800"),
     ("a\n\tb", "a\n\tb"), ("\x7f\x85", "\\x7f\\x85"), ("\U000e0001", "\\ue0001")],
)  # fmt: skip
def test_what_would_steer_a_terminal_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown

"""Messages of mistakes: harmless on a terminal, and short enough to be read."""

from __future__ import annotations

import pytest

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.finding import Finding, FindingEffect
from fleet.errors import Excerpt, Problem, printable, shortened

WORD = "a" * 20_000


def test_words_that_nobody_could_read_are_cut() -> None:
    texts = (
        str(Problem("i", 1, 1, f"unknown key {WORD!r}")),
        NodeError(
            FailureKind.CONFLICT, Step.PLAN, f"config_path {WORD} is odd", "fix it"
        ).failure.message,
        str(Finding("x", FindingEffect.NOTES, "/f:1", f"does not know the capability {WORD!r}")),
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


CARETS = {
    "a narrow line": ("ab: c", 5, 1, "    ^"),
    "wide characters before": ("\u5317\u4eac: c", 5, 1, "      ^"),
    "wide characters": ("a: \u5317\u4eac", 4, 2, "   ^^^^"),
    "a mark over a letter": ("u\u0308: c", 5, 1, "   ^"),
    "an escape before": ("a\x1b: c", 5, 1, "       ^"),
}


@pytest.mark.parametrize(("text", "column", "length", "expected"), CARETS.values(), ids=CARETS)
def test_the_caret_stands_below_its_place(
    text: str, column: int, length: int, expected: str
) -> None:
    problem = Problem("a.yaml", 1, 1, "is odd", excerpt=Excerpt(text, column, length))

    assert problem.shown().splitlines()[-1] == f"   | {expected}"

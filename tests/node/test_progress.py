"""Where a node in flight is: read off its script's output, whatever pieces that comes in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fleet.core.failure import Step
from fleet.node.progress import enter, leave, progress_listener, step_of

TEXT = b"hello\t=0\nstep\t=check 12.30\nalive\t\nstep\t=keep 12.34\nvalue\t=step\n"


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    yield
    leave("n")


@pytest.mark.parametrize("size", [1, 7, 30, 1000])
def test_the_newest_step_counts_in_whatever_pieces_it_comes(size: int) -> None:
    heard = progress_listener("n")

    for start in range(0, len(TEXT), size):
        heard(TEXT[start : start + size])

    assert step_of("n") is Step.KEEP


@pytest.mark.parametrize(
    "said",
    [
        b"step\t=\x1b[2Jgone 1\n",
        b"step\t=dance 1\n",
        b"step\t=connect 1\n",
        b"step\t=swap 1",
        b"x" * 9000 + b"\n",
    ],
    ids=[
        "for a terminal",
        "an unknown word",
        "not of a script",
        "an unfinished line",
        "a long line",
    ],
)
def test_what_is_no_step_leaves_the_one_before(said: bytes) -> None:
    enter("n", Step.UPLOAD)

    progress_listener("n")(said)

    assert step_of("n") is Step.UPLOAD


def test_a_node_that_is_through_is_forgotten() -> None:
    enter("n", Step.SOAK)
    leave("n")
    leave("n")

    assert step_of("n") is None

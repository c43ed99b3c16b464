"""Bugs in the work on one node: its failure, with a place in the code and nothing raw of a node."""

from __future__ import annotations

import logging

import pytest

from fleet.core.failure import Failure, FailureKind, NodeError, Step
from fleet.engine.bugs import bug, isolate_bugs, words_of


def fail(error: BaseException) -> None:
    raise error


def failure_of(error: Exception) -> Failure:
    result = isolate_bugs(lambda: fail(error), "w1")
    assert isinstance(result, Failure)
    return result


def test_a_result_is_returned_as_it_is() -> None:
    assert isolate_bugs(lambda: 42, "w1") == 42


def test_a_failure_of_the_node_is_no_bug() -> None:
    error = NodeError(FailureKind.CONNECT, Step.CONNECT, "timed out", "try again", evidence="x")

    assert failure_of(error) == error.failure


def test_a_bug_names_its_place_in_the_code() -> None:
    failure = failure_of(ZeroDivisionError("by zero"))

    assert (failure.kind, failure.step) == (FailureKind.BUG, "bug")
    assert failure.message.startswith("bug in fleet: ZeroDivisionError: by zero")
    *_, last = failure.evidence.splitlines()
    assert last.endswith(" in fail")
    assert __file__ in last


def test_a_deep_bug_has_its_last_four_frames() -> None:
    def sink(depth: int) -> None:
        if depth:
            sink(depth - 1)
        raise KeyError("x")

    try:
        sink(9)
    except KeyError as error:
        failure = bug(error, "w1")

    assert len(failure.evidence.splitlines()) == 4
    assert all(line.endswith(" in sink") for line in failure.evidence.splitlines())


def test_what_a_node_sent_is_cut_and_cannot_control_a_terminal() -> None:
    failure = failure_of(ValueError("\x1b[2J" + "x" * 5000))

    assert "\x1b" not in failure.message
    assert len(failure.message) < 400


class MuteError(Exception):
    """An exception that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError


def test_an_exception_that_cannot_be_read_is_still_a_failure() -> None:
    assert words_of(MuteError()) != ""
    assert failure_of(MuteError()).message.startswith("bug in fleet: MuteError: ")


def test_the_traceback_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "fleet")

    failure_of(ZeroDivisionError("by zero"))

    (record,) = caplog.records
    assert record.getMessage().startswith("w1: ")
    assert record.exc_info is not None


def test_ctrl_c_is_no_bug() -> None:
    with pytest.raises(KeyboardInterrupt):
        isolate_bugs(lambda: fail(KeyboardInterrupt()), "w1")

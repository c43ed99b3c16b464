"""The watchdog: a call that hangs is ended, and any other is left alone."""

from __future__ import annotations

import threading

import pytest

from fleet.ssh.watchdog import close_after


def raise_once(closed: threading.Event, error: BaseException) -> None:
    """Raise an error as soon as the connection is closed."""
    assert closed.wait(10)
    raise error


def test_a_call_within_its_time_is_left_alone() -> None:
    closed = threading.Event()

    with close_after(0.05, closed.set):
        pass

    assert not closed.wait(0.15)


def test_a_call_that_hangs_is_closed_and_its_error_is_a_timeout() -> None:
    closed = threading.Event()

    with pytest.raises(TimeoutError) as raised, close_after(0.02, closed.set):
        raise_once(closed, EOFError())

    assert isinstance(raised.value.__cause__, EOFError)


def test_an_error_within_the_time_is_raised_as_it_is() -> None:
    with pytest.raises(EOFError), close_after(30, lambda: pytest.fail("closed")):
        raise EOFError


def test_a_late_call_without_an_error_is_a_success() -> None:
    closed = threading.Event()

    with close_after(0.02, closed.set):
        assert closed.wait(10)


def test_an_interrupt_is_no_timeout() -> None:
    closed = threading.Event()

    with pytest.raises(KeyboardInterrupt), close_after(0.02, closed.set):
        raise_once(closed, KeyboardInterrupt())

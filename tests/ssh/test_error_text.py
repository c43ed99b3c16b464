"""An exception's text, without numbers and capitals of system calls."""

from __future__ import annotations

import pytest

from fleet.ssh.error_text import describe_error

ERRORS = {
    "a system call": (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
    "one without a number": (OSError("No route"), "no route"),
    "one with nothing": (EOFError(), "EOFError"),
    "another one": (ValueError("Bad Key"), "Bad Key"),
}


@pytest.mark.parametrize(("error", "text"), ERRORS.values(), ids=list(ERRORS))
def test_the_text_of_an_exception(error: Exception, text: str) -> None:
    assert describe_error(error) == text

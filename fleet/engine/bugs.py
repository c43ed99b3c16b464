"""Isolation of bugs: an unexpected exception in the work on one node is that node's failure."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import TypeVar

from fleet.core.failure import Failure, FailureKind, NodeError, Step
from fleet.core.masking.shown_text import tail

_Result = TypeVar("_Result")
_LOG = logging.getLogger("fleet")
_FRAMES = 4
"""The number of stack frames in a bug's report, the innermost last."""
_LONGEST = 200
"""The most characters of an exception's message that a report has."""


def isolate_bugs(work: Callable[[], _Result], node: str) -> _Result | Failure:
    """Return the result of the work; an exception becomes a failure of the node."""
    try:
        return work()
    except NodeError as error:
        return error.failure
    except Exception as error:  # noqa: BLE001 - any bug: the work on other nodes goes on
        return bug(error, node)


def bug(error: BaseException, node: str) -> Failure:
    """Return the failure for a bug, with its place in the code; log the traceback."""
    _LOG.debug("%s: a bug of fleet", node, exc_info=error)
    summary = tail(words_of(error)[:_LONGEST], 1)  # it may quote what a node sent
    message = f"bug in fleet: {type(error).__name__}: {summary}"
    remedy = "report it with the evidence below"
    return Failure(FailureKind.BUG, Step.BUG, message, remedy, _place(error))


def words_of(error: BaseException) -> str:
    """Return the message of an exception; its own `__str__` may raise as well."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the original exception is the one to report
        return "an exception without a readable message"


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return "\n".join(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)

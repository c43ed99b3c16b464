"""Causes that a shell names on its error output when it ends in the middle of a script."""

from __future__ import annotations

import re

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.masking.shown_text import tail

_PROCESSES = re.compile(
    r"can(?:no|')t fork|unable to fork|fork(?: system call)? failed|fork: (?:retry: )?Resource"
    r"|Resource temporarily unavailable|failed to create new OS thread",
    re.IGNORECASE,
)


_MEMORY = re.compile("Cannot allocate memory|Out of memory", re.IGNORECASE)


def shell_error_cause(step: Step, words: str) -> NodeError | None:
    """Return the failure that a shell's error output names; None if it names none."""
    if _PROCESSES.search(words):
        message = "the node cannot start more processes for this user (EAGAIN)"
        remedy = "end some processes, or raise the limit (`ulimit -u`, TasksMax, pid_max)"
    elif _MEMORY.search(words):
        message = "the node has no memory left (ENOMEM)"
        remedy = "free some memory on the node, see `free -m`"
    else:
        return None
    return NodeError(FailureKind.UNSUPPORTED, step, message, remedy, tail(words))

"""The audit log of a node: a line for each step of a change, whose fields are cleaned."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from fleet.core.history.rollout_ids import begun_at
from fleet.core.masking import free_text
from fleet.core.masking.known import without_known

MESSAGE_LENGTH = 200
"""The most characters of a message; the rest is cut."""
READ_LIMIT = 1 << 20
"""The most bytes of a log that are read, the newest ones; fleet itself cuts a longer log."""
CLOCK_ERROR = timedelta(days=1)
"""The most by which the clocks of nodes and workstations are expected to differ."""
_EPOCH = datetime.fromtimestamp(0, UTC)
_OPERATOR_LENGTH = 100
_LINE_LENGTH = 4096
_FIELDS = 5
"""The fields that every line has; those of this release also have a kind and a message."""
_TIME = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z")
_WORD = re.compile(r"[a-z_]{1,20}")
_ROLLOUT = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One line of a node's audit log; `at` is the time of the node's clock, in UTC."""

    at: str
    step: str
    rollout: str
    operator: str
    result: str
    kind: str = ""
    """Rollout, rollback or another kind of change; empty in lines of earlier releases."""
    message: str = ""


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The entries of a node's audit log in their order.

    `unread` is the number of lines that are not entries, `cut` whether older ones were not read.
    """

    events: tuple[AuditEvent, ...] = ()
    unread: int = 0
    cut: bool = False


def parse_audit_log(content: bytes) -> AuditLog:
    """Parse the end of an audit log, of which a node may have made anything."""
    cut = len(content) >= READ_LIMIT
    lines = content[-READ_LIMIT:].split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    if cut and lines:
        del lines[0]  # the rest of a line
    events = [_parse_line(line) for line in lines]
    read = tuple(event for event in events if event is not None)
    return AuditLog(read, len(events) - len(read), cut)


def with_known_ids(log: AuditLog, now: datetime) -> AuditLog:
    """Return a log without the entries whose rollout ID fleet cannot have made; they are unread.

    An ID in the future would otherwise be the newest rollout for as long as it is there.
    """
    read = tuple(
        event
        for event in log.events
        if (begun := begun_at(event.rollout)) and _EPOCH <= begun <= now + CLOCK_ERROR
    )
    return replace(log, events=read, unread=log.unread + len(log.events) - len(read))


def _parse_line(line: bytes) -> AuditEvent | None:
    if len(line) > _LINE_LENGTH:
        return None
    fields = line.decode("utf-8", "replace").split("\t")
    if len(fields) < _FIELDS:
        return None
    at, step, rollout, operator, result, kind, message = [*fields, "", ""][:7]
    words = (step, result, kind) if kind else (step, result)
    if not (
        _TIME.fullmatch(at) and _ROLLOUT.fullmatch(rollout) and all(map(_WORD.fullmatch, words))
    ):
        return None
    return AuditEvent(
        at=at,
        step=step,
        rollout=rollout,
        operator=clean_operator(operator),
        result=result,
        kind=kind,
        message=_cached_message(message),
    )


def clean_message(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a user's message as one line of bounded length, without secrets."""
    return _shortened(free_text(_one_line(without_known(text, secrets))), MESSAGE_LENGTH)


@functools.lru_cache(maxsize=1024)  # the lines of a rollout have the same message, on all nodes
def _cached_message(text: str) -> str:
    return clean_message(text)


def clean_operator(text: str) -> str:
    """Return USER@HOST as one line of bounded length; both may come from the environment."""
    return _shortened(_one_line(text), _OPERATOR_LENGTH)


def _one_line(text: str) -> str:
    """Replace line breaks and control characters by spaces, and several spaces by one."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}\u2026"

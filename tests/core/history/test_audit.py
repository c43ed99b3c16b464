"""The audit logs of nodes, and what is written into them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fleet.core.history.audit import (
    MESSAGE_LENGTH,
    READ_LIMIT,
    AuditEvent,
    AuditLog,
    clean_message,
    clean_operator,
    parse_audit_log,
    with_known_ids,
)

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


OLD = "2026-01-01T10:00:00Z\tconfirm\t20260101-095900-abcd\tme@here\tconfirmed"
NEW = f"{OLD}\trollout\tOPS-12"


def test_lines_of_this_release_and_of_earlier_ones_are_read() -> None:
    log = parse_audit_log(f"{OLD}\n{NEW}\n{NEW}\tof a later one\n".encode())

    plain = AuditEvent(
        at="2026-01-01T10:00:00Z",
        step="confirm",
        rollout="20260101-095900-abcd",
        operator="me@here",
        result="confirmed",
    )
    said = (("", ""), ("rollout", "OPS-12"), ("rollout", "OPS-12"))
    assert [(event.kind, event.message) for event in log.events] == list(said)
    assert (log.events[0], log.unread, log.cut) == (plain, 0, False)


HOSTILE = {
    "no entry": b"root:x:0:0",
    "bytes": b"\xff\x00\x1b[2J",
    "an empty line": b"",
    "no time": NEW.replace("2026-01-01T10:00:00Z", "2026-01-01\x1b").encode(),
    "no ID": NEW.replace("20260101-095900-abcd", "../../x").encode(),
    "no step": NEW.replace("confirm\t", "\x1b[31m\t").encode(),
    "no result": NEW.replace("confirmed", "con firmed").encode(),
    "no kind": NEW.replace("rollout", "ROLL OUT").encode(),
    "a long line": NEW.encode() + b"x" * 5000,
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE)
def test_lines_that_are_not_entries_are_counted_and_skipped(line: bytes) -> None:
    log = parse_audit_log(line + b"\n" + NEW.encode())

    assert (len(log.events), log.unread) == (1, 1)


def test_texts_of_an_entry_are_cleaned() -> None:
    line = NEW.replace("me@here", "me\x1b]0;x\x07@here").replace("OPS", "password: hunter2\r\x9b")

    (event,) = parse_audit_log(line.encode()).events

    assert (event.operator, event.message) == ("me ]0;x @here", "password: ***")


def test_only_the_newest_part_of_a_long_log_is_read() -> None:
    lines = f"{NEW}\n".encode() * (READ_LIMIT // len(NEW) + 9)

    log = parse_audit_log(lines[-READ_LIMIT:])

    assert log.cut
    assert log.unread == 0
    assert len(log.events) == READ_LIMIT // (len(NEW) + 1)
    assert parse_audit_log(b"x" * READ_LIMIT).events == ()


def test_an_empty_log_has_no_entries() -> None:
    assert parse_audit_log(b"").events == ()


@pytest.mark.parametrize(
    ("rollout", "read"),
    [
        ("20260101-095900-abcd", True),
        ("20260102-095900-abcd", True),  # the clocks of two workstations differ
        ("20260103-100000-abcd", False),
        ("99991231-235959-ffff", False),
        ("00010101-000000-ffff", False),
        ("20261399-095900-abcd", False),
        ("zzzz", False),
    ],
)
def test_an_id_that_fleet_cannot_have_made_is_not_read(rollout: str, *, read: bool) -> None:
    line = OLD.replace("20260101-095900-abcd", rollout)
    log = parse_audit_log(f"{line}\n?\n".encode())

    known = with_known_ids(log, datetime(2026, 1, 1, 10, tzinfo=UTC))

    assert known == AuditLog(log.events if read else (), 1 if read else 2)

"""Node-side scripts: variables, privilege, deadlines, and the protocol of their records."""

from __future__ import annotations

import base64
import binascii
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.masking.shown_text import tail
from fleet.core.model.secret import Secret
from fleet.core.text.counts import counted
from fleet.node.assembler import compact_source
from fleet.node.launch import BEGUN, launch_line
from fleet.node.login_failures import not_started
from fleet.node.shell_errors import shell_error_cause

_MOST_RECORDS = 1 << 16
"""Lines of one reply: a hundred times those of a probe. A record costs 300 bytes of memory."""


_MOST_FIELDS = 16


_DIGITS = 18


_CODE = re.compile("[0-9]{1,3}")


_SECONDS = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{0,15})?")


_SIZE = re.compile(r"\+[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Privilege:
    """The way in which a script becomes root: by the login, by sudo, or by sudo with a password.

    `refused` names the node that refused the password, which is then not given to other nodes.
    """

    password: Secret | None = None
    user: str | None = None
    sudo: bool = True
    refused: str = ""

    @property
    def command(self) -> str:
        """Return sudo as the shell runs it."""
        return "sudo" if self.user is None else f"sudo -u {shlex.quote(self.user)}"


@dataclass(frozen=True, slots=True)
class Script:
    """A node-side script with its variables and a deadline in seconds that the node enforces.

    Its name is also the step of a failure to run it.
    """

    name: Step
    variables: Mapping[str, str]
    seconds: int = 60

    def text(self) -> str:
        """Return the whole script: the variables, quoted, then the code."""
        # TOOLS extends root's PATH, so it is always set: sudo may keep one of the login user.
        variables = {"TOOLS": "", **self.variables}
        head = "".join(f"{key}={shlex.quote(value)}\n" for key, value in variables.items())
        return head + compact_source(self.name)

    def command_line(self, privilege: Privilege) -> str:
        """Return the command that the login shell runs; it holds no content and no secret."""
        sudo = privilege.command if privilege.sudo else None
        asking = privilege.password is not None
        return launch_line(f"timeout -k 10 {self.seconds}", sudo, asking=asking)

    def stdin(self, privilege: Privilege) -> bytes:
        """Return the command's input: the password if there is one, then the script."""
        if privilege.password is None or not privilege.sudo:
            return _encode_text(self.text())
        return _encode_text(f"{privilege.password}\n{self.text()}")


def _encode_text(text: str) -> bytes:
    """Return a script as bytes; a path on a node may hold bytes that are not UTF-8."""
    return text.encode("utf-8", "surrogateescape")


class Reply:
    """The records that a script printed, in order: a key and its fields, undecoded.

    `words` is the end of its error output.
    """

    def __init__(self, records: Iterable[tuple[str, tuple[str, ...]]], words: str = "") -> None:
        self.error_output = words
        self._fields: dict[str, list[tuple[str, ...]]] = {}
        for key, fields in records:
            self._fields.setdefault(key, []).append(fields)

    def all(self, key: str) -> Iterator[tuple[str, ...]]:
        """Yield the fields of every record of that key."""
        return iter(self._fields.get(key, ()))

    def rows(self, key: str, width: int) -> Iterator[tuple[str, ...]]:
        """Yield the fields of every record of that key; each must have `width` fields."""
        for fields in self.all(key):
            if len(fields) != width:
                raise protocol_error(f"record {key} with {counted(len(fields), 'field')}")
            yield fields

    def texts(self, key: str) -> Iterator[str]:
        """Yield the first field of every record of that key as text."""
        return (decode_field(fields[0]).decode("utf-8", "replace") for fields in self.all(key))

    def value(self, key: str, default: str = "") -> str:
        """Return the last value of that key as text."""
        values = self._fields.get(key)
        return decode_field(values[-1][0]).decode("utf-8", "replace") if values else default

    def has(self, key: str) -> bool:
        """Return whether the script printed that key."""
        return key in self._fields


def number(text: str) -> int:
    """Read a count that a node sent; return 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else 0


def exit_code(text: str) -> int:
    """Read an exit code that a node sent; return 1 for anything else."""
    return int(text) if _CODE.fullmatch(text) else 1


def timestamp(text: str) -> float:
    """Read seconds that a node sent; raise a NodeError for anything else."""
    seconds = seconds_of(text)
    if seconds is None:
        raise protocol_error("not a time", text[:200])
    return seconds


def seconds_of(text: str) -> float | None:
    """Read seconds that a node sent; return None for anything else."""
    return float(text) if _SECONDS.fullmatch(text) else None


def decode_field(field: str) -> bytes:
    """Decode one field: base64, or plain after a `=`; raise a NodeError for anything else."""
    if field.startswith("="):
        return field[1:].encode()
    try:
        return base64.b64decode(field, validate=True)
    except (binascii.Error, ValueError) as error:
        raise protocol_error("not a record of fleet", field[:200]) from error


_Member = TypeVar("_Member", bound=StrEnum)


def parse_member(members: type[_Member], text: str, what: str) -> _Member:
    """Return the member of an enum that a script reported; raise a NodeError for an unknown one."""
    try:
        return members(text)
    except ValueError as error:
        raise protocol_error(f"unknown {what} {tail(text, 1)}") from error


def protocol_error(problem: str, evidence: str = "") -> NodeError:
    """Return the error for output that fleet's scripts do not write."""
    message = f"unexpected output from the node: {problem}"
    remedy = "check that `ssh NODE true` prints nothing, then try again"
    return NodeError(FailureKind.PROTOCOL, Step.READ, message, remedy, tail(evidence))


def parse_reply(step: Step, code: int, stdout: str, stderr: str) -> Reply:
    """Read a script's output; raise a NodeError if the script did not run to its end."""
    reply = Reply(_split_records(stdout), tail(stderr))
    if not reply.has("end") and (cause := shell_error_cause(step, stderr)) is not None:
        raise cause
    if not reply.has("hello"):
        begun = reply.has(BEGUN)
        raise not_started(step, code, stderr if begun else f"{stdout}{stderr}", begun=begun)
    if reply.value("hello") != "0":
        message = "the login user is not root, and become is false"
        remedy = "set become: true in the inventory, or log in as root (`user: root`)"
        raise NodeError(FailureKind.SUDO, step, message, remedy, tail(stderr))
    if reply.has("steered"):
        message = (
            f"{tail(reply.value('steered'), 1)} is writable for users other than root, who could"
            " redirect what fleet writes there"
        )
        remedy = (
            "move it away, and fleet makes a new one. Or, if you trust all that is in it, make it"
            " writable for root alone (`chown root`, `chmod go-w`)"
        )
        raise NodeError(FailureKind.UNSUPPORTED, step, message, remedy)
    if not reply.has("end"):
        kind = FailureKind.TIMEOUT if code in {124, 137} else FailureKind.PROTOCOL
        message = f"fleet's script was stopped on the node (exit code {code})"
        remedy = "find what stopped it (`uptime`, `journalctl -k`), then run the command again"
        raise NodeError(kind, step, message, remedy, tail(stderr))
    return reply


def _split_records(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Split the records; the content of a field `+LENGTH` is below its line and replaces it."""
    start = lines = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        key, *fields = text[start:end].split("\t", _MOST_FIELDS)
        lines += 1
        if lines > _MOST_RECORDS:
            raise protocol_error(f"more than {_MOST_RECORDS} lines")
        start = end + 1
        for index, field in enumerate(fields):
            if field.startswith("+") and _SIZE.fullmatch(field):
                size = int(field[1:])
                fields[index] = f"={text[start : start + size]}"
                start += size + 1
        if fields:
            yield key, tuple(fields)

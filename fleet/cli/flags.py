"""Flags of the commands that change nodes, their operator, and the path of the journal."""

from __future__ import annotations

import getpass
import secrets
import socket
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fleet.cli.options import Settings
from fleet.core.masking import Fingerprints
from fleet.errors import FleetError
from fleet.home import expanded
from fleet.journal import Journal, passing_key, read_key
from fleet.node.work_order import Deadlines

_ASKED_AGAIN = {"yes", "dry_run", "journal", "ask_become_pass", "connect_timeout"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags of rollout and rollback, as the command line gave them."""

    yes: bool
    dry_run: bool
    batch: str
    max_failures: str
    skip_unreachable: bool
    on_failure: str
    pause: float
    soak: int
    health_timeout: int
    guard: int
    disrupt_workloads: bool
    journal: str | None
    ask_become_pass: bool
    connect_timeout: float
    no_verify: bool = False
    no_liveness: bool = False
    pull_timeout: int = 120
    per_mirror: int = 16
    full_default: bool = False
    foreign: str = "adopt"
    rerun: tuple[str, str] | None = None
    to: str | None = None

    @property
    def deadlines(self) -> Deadlines:
        """Return the deadlines of the work on each node."""
        return Deadlines(
            health=self.health_timeout,
            pull=self.pull_timeout,
            soak=self.soak,
            guard=self.guard,
            per_mirror=self.per_mirror,
        )

    def data(self) -> dict[str, Any]:
        """Return the flags that a later `resume` reads back."""
        return {name: value for name, value in asdict(self).items() if name not in _ASKED_AGAIN}

    @classmethod
    def read(cls, data: dict[str, Any], **anew: Any) -> Flags:
        """Return the flags of an earlier command; `anew` holds those that a resume asks again."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known}, **anew)


GATES = 5
"""The least seconds after the soak: a new connection and the gates behind it need them."""


def refuse_short_guard(flags: Flags) -> None:
    """Raise a FleetError if the guard would revert a change before soak and gates have ended."""
    if 0 < flags.guard < flags.soak + GATES:
        raise FleetError(
            f"--guard {flags.guard} is too short for --soak {flags.soak}: nodes would take every"
            f" change back before it is confirmed; give --guard {flags.soak + GATES} or more"
        )


def new_rollout_id(now: datetime) -> str:
    """Return a new rollout id; ids sort by time."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def stamp() -> str:
    """Return the present time in the journal's format, in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def operator() -> str:
    """Return who runs fleet, as USER@HOST."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def open_journal(settings: Settings, chosen: str | None) -> Journal:
    """Open the journal for writing; warn of its files that other users can read."""
    journal = Journal(journal_path(settings, chosen))
    for note in journal.notes:
        settings.say(note)
    return journal


def fingerprints(settings: Settings, chosen: str | None = None) -> Fingerprints:
    """Return the fingerprints of secrets, for a command that does not write the journal.

    Without a journal there is not a lasting key: fingerprints are then comparable only within
    this run.
    """
    return Fingerprints(read_key(journal_path(settings, chosen)) or passing_key())


def journal_path(settings: Settings, chosen: str | None) -> Path:
    """Return the journal's path: `chosen`, or a file beside the inventory it belongs to."""
    if chosen:
        return Path(chosen)
    try:
        inventory = expanded(settings.inventory).absolute()
    except OSError as error:
        message = f"the working folder is gone ({error.strerror}); change to one that exists"
        raise FleetError(message) from error
    return inventory.parent / ".fleet" / "journal.db"

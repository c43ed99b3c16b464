"""What the changing commands share: their flags, who runs them, and where the journal lies."""

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

_ASKED_ANEW = {"yes", "dry_run", "journal", "ask_become_pass", "connect_timeout"}


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
        """Return the deadlines of every pass."""
        return Deadlines(
            health=self.health_timeout,
            pull=self.pull_timeout,
            soak=self.soak,
            guard=self.guard,
            per_mirror=self.per_mirror,
        )

    def data(self) -> dict[str, Any]:
        """Return what a later `resume` has to know."""
        return {name: value for name, value in asdict(self).items() if name not in _ASKED_ANEW}

    @classmethod
    def read(cls, data: dict[str, Any], **anew: Any) -> Flags:
        """Read the flags of an earlier command back; what is asked anew counts."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known}, **anew)


GATES = 5
"""Seconds at least for what follows the soak: a new connection and the gates behind it."""


def refuse_short_guard(flags: Flags) -> None:
    """Refuse a guard that would revert a change before the soak and its gates have ended."""
    if 0 < flags.guard < flags.soak + GATES:
        raise FleetError(
            f"--guard {flags.guard} is too short for --soak {flags.soak}: nodes would take every"
            f" change back before it is confirmed; give --guard {flags.soak + GATES} or more"
        )


def new_rollout_id(now: datetime) -> str:
    """Name a rollout so that names sort by time."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def stamp() -> str:
    """Return the time as the journal writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def operator() -> str:
    """Say who runs fleet, and from where."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def open_journal(settings: Settings, chosen: str | None) -> Journal:
    """Open the journal for writing; report files of it that other users can read."""
    journal = Journal(journal_path(settings, chosen))
    for note in journal.notes:
        settings.say(note)
    return journal


def fingerprints(settings: Settings, chosen: str | None = None) -> Fingerprints:
    """Return the fingerprints for secrets, for a command that writes no journal.

    Without a journal there is no key; then they can be compared within this run only.
    """
    return Fingerprints(read_key(journal_path(settings, chosen)) or passing_key())


def journal_path(settings: Settings, chosen: str | None) -> Path:
    """Return where the journal lies: it belongs to the fleet, so beside its inventory."""
    if chosen:
        return Path(chosen)
    try:
        inventory = expanded(settings.inventory).absolute()
    except OSError as error:
        message = f"the working folder is gone ({error.strerror}); change to one that exists"
        raise FleetError(message) from error
    return inventory.parent / ".fleet" / "journal.db"

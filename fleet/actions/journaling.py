"""The journal of one rollout: its first entries, its events, and the lock while it runs."""

from __future__ import annotations

import getpass
import hashlib
import secrets
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fleet.actions.user_interface import UserInterface
from fleet.core.history.audit import clean_operator
from fleet.core.history.gate_data import gate_event_data
from fleet.core.history.replay import EntryKind
from fleet.core.history.serialize import outcome_data
from fleet.core.masking import Fingerprints, clean_data
from fleet.core.model.outcome import NodeOutcome
from fleet.core.rollout.state import (
    BatchBegun,
    BatchSoaked,
    Event,
    GateDecided,
    NodeMoved,
    RolloutStatus,
)
from fleet.home import expanded
from fleet.journal import Journal, passing_key, read_key

Entry = tuple[str, str | None, dict[str, Any]]
"""The kind of a journal entry, the node, and the data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFiles:
    """The path of a journal, and the files whose digests it records."""

    journal: Path
    inventory: Path
    mirrors: Path

    def open(self, ui: UserInterface) -> Journal:
        """Open the journal for writing; warn of its files that other users can read."""
        journal = Journal(self.journal)
        for note in journal.notes:
            ui.message(note)
        return journal

    def fingerprints(self) -> Fingerprints:
        """Return the fingerprints of secrets, for an action that does not write the journal.

        They are made with the key of the journal. Without a journal the key is a new one, so
        fingerprints can be compared only within this run.
        """
        return Fingerprints(read_key(self.journal) or passing_key())

    def digests(self) -> dict[str, str | None]:
        """Return the SHA-256 of both files in hex; None for one that does not exist."""
        return {str(path): digest_of(path) for path in (self.inventory, self.mirrors)}


class RolloutJournal:
    """The entries of one rollout; without a journal nothing is written."""

    def __init__(self, rollout: str, journal: Journal | None, files: JournalFiles | None) -> None:
        self._rollout, self._journal, self._files = rollout, journal, files
        self.mark = Fingerprints(journal.key() if journal is not None else passing_key())
        """Replaces secrets by fingerprints, which are the same in all rollouts of the journal."""

    @property
    def is_written(self) -> bool:
        """Return whether there is a journal."""
        return self._journal is not None

    def begin(self, about: Mapping[str, Any]) -> None:
        """Write the record of the rollout, to which its entries refer."""
        if self._journal is not None and self._files is not None:
            start = {
                "kind": about["kind"],
                "operator": operator(),
                "files": self._files.digests(),
                "mirrors_file": str(expanded(self._files.mirrors).absolute()),
            }
            self._journal.begin(self._rollout, timestamp(), {**start, **about})

    def append(self, kind: str, node: str | None, payload: dict[str, Any]) -> None:
        """Write one entry."""
        self.append_all([(kind, node, payload)])

    def append_all(self, entries: Sequence[Entry]) -> None:
        """Write entries as one write; raise a JournalError if that fails."""
        if self._journal is not None:
            cleaned = [(kind, node, clean_data(payload)) for kind, node, payload in entries]
            self._journal.append_all(self._rollout, timestamp(), cleaned)

    def roles(self) -> Mapping[str, tuple[str, ...]]:
        """Return for each node the evidence of earlier rollouts that it is a control plane node."""
        return self._journal.roles() if self._journal is not None else {}

    def has_ended(self, rollout: str) -> bool:
        """Return whether the journal holds a rollout and that rollout has ended."""
        if self._journal is None or not self._journal.knows(rollout):
            return False
        return (
            self._journal.replayed(self._journal.rollout(rollout)).status
            is not RolloutStatus.INTERRUPTED
        )


@contextmanager
def hold_journal(
    files: JournalFiles | None, kind: str, rollout: str, ui: UserInterface
) -> Iterator[RolloutJournal]:
    """Open a rollout's journal and hold its lock; without `files` nothing is written."""
    if files is None:
        yield RolloutJournal(rollout, None, None)
        return
    journal = files.open(ui)
    with journal.held(f"{kind} {rollout} of {operator()} since {timestamp()}"):
        yield RolloutJournal(rollout, journal, files)


def event_entry(event: Event, outcome: NodeOutcome | None) -> Entry:
    """Return an event as a journal entry."""
    match event:
        case NodeMoved(node, status):
            data = outcome_data(outcome) if outcome else {}
            return EntryKind.MOVED, node, {**data, "status": str(status)}
        case BatchBegun(number):
            return EntryKind.BATCH, None, {"number": number + 1}
        case BatchSoaked(number):
            return EntryKind.SOAKED, None, {"number": number + 1}
        case GateDecided():
            return EntryKind.GATE, None, gate_event_data(event)


def new_rollout_id(now: datetime | None = None) -> str:
    """Return a new rollout id; ids sort by time."""
    return f"{now or datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def timestamp() -> str:
    """Return the present time in the journal's format, in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def operator() -> str:
    """Return who runs fleet, as USER@HOST in one line."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "unknown"
    return clean_operator(f"{user}@{socket.gethostname()}")


def digest_of(path: Path) -> str | None:
    """Return the SHA-256 of a file in hex; None if the file does not exist."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None

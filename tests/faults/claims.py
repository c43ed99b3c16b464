"""A node's real state, compared with what fleet said of it: each difference is a false word."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fleet.core.failure import Step
from fleet.core.history.replay import RolloutHistory, replay_journal
from fleet.core.model.outcome import NodeStatus
from fleet.journal import Journal
from tests.faults.lane import Lane

# One word a line: what is still there of a change, of a lock, of a stage and of a guard.
_LEFT = r"""
head -n 1 /var/lib/fleet/pending/id 2>/dev/null | sed 's/^/pending /'
head -n 1 /run/fleet/lock 2>/dev/null | sed 's/^/lock /'
ls -d /run/fleet/stage-* /run/fleet/armed-* 2>/dev/null
ls /etc/systemd/system/fleet-guard.service 2>/dev/null
systemctl list-units --plain --no-legend --state=active,activating,failed 'fleet-guard*' |
    cut -d' ' -f1
find /etc -name '.fleet-*' -o -name '*.fleet-*'
"""
_MOVED = {NodeStatus.CONVERGED}
_STAYED = {NodeStatus.ROLLED_BACK, NodeStatus.FAILED, NodeStatus.STALE, NodeStatus.PENDING}


@dataclass(frozen=True)
class Claim:
    """What fleet said of a lane's node: its newest rollout and the exit code of its last call."""

    rollout: str
    story: RolloutHistory
    node: str
    code: int

    @property
    def open(self) -> bool:
        """Return True where fleet itself says that the rollout is not at its end."""
        return self.story.status == "interrupted" or bool(self.story.unsettled())

    @property
    def status(self) -> NodeStatus:
        """Return the status that fleet gave the node."""
        return self.story.state.nodes[self.node].shown

    @property
    def untouched(self) -> bool:
        """Return True where fleet said that the node is as it was."""
        if self.status is not NodeStatus.UNREACHABLE:
            return self.status in _STAYED
        failure = self.story.outcomes[self.node].failure
        return failure is None or failure.step is not Step.SETTLE


@contextmanager
def _copied(folder: Path) -> Iterator[Journal]:
    """Open a copy of a journal: reading leaves files beside it, and fleet may still write."""
    with tempfile.TemporaryDirectory(prefix="fleet-claims-") as copy:
        if folder.is_dir():
            shutil.copytree(folder, copy, dirs_exist_ok=True)
        yield Journal(Path(copy) / "journal.db")


def newest(folder: Path) -> str:
    """Return the id of the newest rollout in a journal; empty where there is none."""
    with _copied(folder) as journal:
        return next((record.id for record in journal.rollouts()), "")


def claim(lane: Lane, code: int) -> Claim | None:
    """Read what fleet said last; None where no rollout was begun in this try."""
    with _copied(lane.spoke) as journal:
        record = next(journal.rollouts(), None)
        if record is None or record.id == lane.known:
            return None
        story = replay_journal(record.about["batches"], journal.entries(record.id))
        return Claim(record.id, story, lane.node.name, code)


def false_words(lane: Lane, codes: Sequence[int], seen: str, plain: str) -> str:
    """Compare the last word of a try with the node.

    `seen` is the state that the node is in, `plain` the one without what a hand has added.
    """
    told = claim(lane, codes[-1])
    if told is None:
        stayed = plain == lane.came_from
        return "" if stayed else f"no rollout was begun, but the node is {plain}"
    return "; ".join(_differences(lane, told, plain if lane.late else seen, plain))


def _differences(lane: Lane, told: Claim, seen: str, plain: str) -> Iterator[str]:
    moved = seen != lane.came_from and seen in {"old", "new"}
    if told.status in _MOVED and not moved:
        yield f"{told.status}, but the node is {seen}, from {lane.came_from}"
    if told.code == 0 and not told.open and told.status.failed:
        yield f"exit code 0, but the node is {told.status}"
    if told.open:
        if told.code in {0, 2}:  # done, or nothing to go on with
            yield f"exit code {told.code}, but rollout {told.rollout} is not at its end"
        return
    if told.untouched and plain != lane.came_from:
        yield f"{told.status}, but the node is {plain}, from {lane.came_from}"
    if left := _left(lane):
        yield f"at its end ({told.status}), but the node has {', '.join(left)}"


def _left(lane: Lane) -> list[str]:
    """Name what is left on the node of a rollout at its end; a guard's own unit may just end."""
    until = time.monotonic() + 3
    while True:
        left = lane.node.sh(_LEFT, check=False).stdout.splitlines()
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.3)

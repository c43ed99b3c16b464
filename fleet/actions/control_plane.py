"""The progress lines and journal entries of a rollout's checks of the control plane."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fleet.actions.journaling import RolloutJournal
from fleet.actions.session import Session
from fleet.actions.user_interface import Progress
from fleet.core.history.replay import EntryKind
from fleet.core.history.serialize import etcd_data
from fleet.core.model.etcd import Etcd
from fleet.core.model.inventory import Inventory
from fleet.core.selection.ranges import compress
from fleet.engine.control_plane import ControlPlaneCheck, PlaneAnswer
from fleet.engine.quorum import QuorumCheck

if TYPE_CHECKING:
    from fleet.actions.job import Job


def announce(progress: Progress, names: list[str]) -> None:
    """Show which nodes are about to be probed."""
    count = "1 node" if len(names) == 1 else f"{len(names)} nodes"
    progress.line(f"asking {count} beside this rollout about the control plane: {compress(names)}")


def record_answers(
    journal: RolloutJournal, rollout: str, answers: Mapping[str, PlaneAnswer]
) -> None:
    """Journal the control plane roles of the probed nodes, and why some were unavailable."""
    roles = {
        name: list(answer.availability.control_plane)
        for name, answer in answers.items()
        if answer.answered
    }
    down = {
        name: reason
        for name, answer in answers.items()
        if (reason := answer.availability.down(rollout))
    }
    journal.append(EntryKind.PLANE_ASKED, None, {"roles": roles, "unavailable": down})


def quorum_check(
    session: Session, inventory: Inventory, journal: RolloutJournal, progress: Progress
) -> QuorumCheck:
    """Return the check of etcd's quorum, with its progress lines and its journal entries."""

    def record(names: Sequence[str], etcd: Etcd | None, problem: str) -> None:
        if etcd is not None:
            place = f"before {compress(names)}" if names else "after the last control plane node"
            progress.line(f"etcd {place}: {etcd.summary}")
        answer = {"nodes": list(names), "etcd": etcd_data(etcd), "problem": problem}
        journal.append(EntryKind.QUORUM_ASKED, None, answer)

    def waiting(problem: str) -> None:
        progress.line(f"waiting for etcd, whose members restart with their nodes: {problem}")

    return QuorumCheck(
        inventory=inventory,
        access=session.access,
        pool=session.pool,
        stopping=progress.stopping,
        waiting=waiting,
        record=record,
    )


def plane_check(job: Job, progress: Progress) -> ControlPlaneCheck:
    """Return the check of the control plane nodes that a job has not locked."""
    return ControlPlaneCheck(
        inventory=job.inventory,
        rollout=job.id,
        access=job.session.access,
        pool=job.session.pool,
        surveyed={name: plan.availability for name, plan in job.plans.items()},
        roles=job.journal.roles,
        begin=functools.partial(announce, progress),
        record=functools.partial(record_answers, job.journal, job.id),
    )

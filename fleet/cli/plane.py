"""The control plane check of a job: its SSH keys, its line on the screen, its journal entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from fleet.cli.output.live import Screen
from fleet.cli.prompts import unlocked
from fleet.core.history.replay import PLANE_ASKED
from fleet.core.rollout.control_plane import outsiders
from fleet.core.selection.ranges import compress
from fleet.engine.control_plane import PlaneAnswer, PlaneCheck
from fleet.node.work_order import Access

if TYPE_CHECKING:
    from fleet.cli.job import Job


def access_to_plane(job: Job) -> Access:
    """Return the access with the keys of the nodes to check; ask for passphrases of the keys."""
    works = (plan.availability for name, plan in job.plans.items() if name not in job.outcomes)
    if not any(role.control_plane for role in works):
        return job.access
    outside = outsiders(job.inventory, job.plans, job.journal.roles())
    return replace(job.access, ssh=unlocked(job.access.ssh, outside))


def plane_check(job: Job, screen: Screen) -> PlaneCheck:
    """Return the control plane check of a job."""

    def begin(names: list[str]) -> None:
        count = "1 node" if len(names) == 1 else f"{len(names)} nodes"
        screen.line(
            f"asking {count} beside this rollout about the control plane: {compress(names)}"
        )

    def record(answers: Mapping[str, PlaneAnswer]) -> None:
        roles = {
            name: list(answer.availability.control_plane)
            for name, answer in answers.items()
            if answer.answered
        }
        down = {
            name: reason
            for name, answer in answers.items()
            if (reason := answer.availability.down(job.id))
        }
        job.tell(PLANE_ASKED, None, {"roles": roles, "unavailable": down})

    return PlaneCheck(
        inventory=job.inventory,
        rollout=job.id,
        access=job.access,
        pool=job.pool,
        surveyed={name: plan.availability for name, plan in job.plans.items()},
        roles=job.journal.roles,
        begin=begin,
        record=record,
    )

"""Release of the locks that finished rollouts of a journal have left on nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fleet.cli.job import Job, work_order
from fleet.engine.locks import still_held
from fleet.engine.workers.base import map_nodes
from fleet.journal import Journal
from fleet.node.stage import release_once


def take_over(job: Job) -> None:
    """Release the locks that finished rollouts of this journal still have on the job's nodes."""
    for name, rollout in _released(job):
        plan = job.plans[name]
        job.plans[name] = replace(plan, availability=replace(plan.availability, holder=""))
        job.settings.say(f"{name}: released the lock that rollout {rollout} has left")


def _released(job: Job) -> Iterator[tuple[str, str]]:
    """Release the locks; yield the node and the rollout that had locked it.

    A node with an unconfirmed change is left to its guard, or to `fleet resume`.
    """
    settled = [plan for plan in job.plans.values() if not plan.availability.pending]
    holders = {plan.availability.holder for plan in settled} - {""}
    ended_rollouts = {rollout for rollout in holders if _has_ended(job.journal, rollout)}
    orders = [
        replace(work_order(job, plan), rollout=plan.availability.holder)
        for plan in settled
        if plan.availability.holder in ended_rollouts
    ]
    for order, result in map_nodes(release_once, orders, job.pool):
        if not still_held(result):
            yield order.node.name, order.rollout


def _has_ended(journal: Journal, rollout: str) -> bool:
    """Return whether this journal holds the rollout and the rollout has ended."""
    if not journal.knows(rollout):
        return False
    return journal.replayed(journal.rollout(rollout)).status != "interrupted"

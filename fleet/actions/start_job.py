"""The start of a job: old locks are released, the user consents, the journal gets its record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fleet.actions.job import Job, RolloutResult
from fleet.actions.job_clusters import look_at_clusters
from fleet.core.rollout.scheduler import next_move
from fleet.core.rollout.state import Halt, RolloutStatus, begin
from fleet.engine.hooks import RolloutEnd
from fleet.engine.locks import still_held
from fleet.engine.survey import already_done
from fleet.engine.workers.base import map_nodes
from fleet.node.stage import release_once


def start_job(job: Job) -> RolloutResult:
    """Show the plans of a new job, ask for consent, and carry them out.

    Consent is not asked for if the failures that are known already spend the budget.
    """
    _release_leftovers(job)
    plans = list(job.plans.values())
    job.outcomes = {
        outcome.node: outcome for plan in plans if (outcome := already_done(plan)) is not None
    }
    look_at_clusters(job)
    job.session.ui.plans(plans, job.journal.mark)
    job.unlock_plane()
    batches = job.batches()
    state = begin(batches, {name: outcome.status for name, outcome in job.outcomes.items()})
    if batches and not isinstance(next_move(state, job.policy()), Halt):
        job.session.ui.confirm(sum(map(len, batches)))
    if not batches and not any(outcome.status.failed for outcome in job.outcomes.values()):
        return job.result(RolloutEnd(state, RolloutStatus.FINISHED), journaled=False)
    job.begin(batches)
    return job.carry_out(state)


def _release_leftovers(job: Job) -> None:
    """Release the locks that finished rollouts of this journal still have on the job's nodes."""
    for name, rollout in _released(job):
        plan = job.plans[name]
        job.plans[name] = replace(plan, availability=replace(plan.availability, holder=""))
        job.session.ui.message(f"{name}: released the lock that rollout {rollout} has left")


def _released(job: Job) -> Iterator[tuple[str, str]]:
    """Release the locks; yield the node and the rollout that had locked it.

    A node with an unconfirmed change is left to its guard, or to `fleet resume`.
    """
    settled = [plan for plan in job.plans.values() if not plan.availability.pending]
    holders = {plan.availability.holder for plan in settled} - {""}
    ended_rollouts = {rollout for rollout in holders if job.journal.has_ended(rollout)}
    orders = [
        replace(job.order(plan), rollout=plan.availability.holder)
        for plan in settled
        if plan.availability.holder in ended_rollouts
    ]
    for order, result in map_nodes(release_once, orders, job.session.pool):
        if not still_held(result):
            yield order.node.name, order.rollout

"""Rollouts that are planned and driven by the caller, without a journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fleet.actions.job import Job
from fleet.actions.journaling import RolloutJournal
from fleet.actions.options import RolloutOptions
from fleet.actions.prepared_rollout import Rollout
from fleet.actions.user_interface import Progress, Scope, UserInterface
from fleet.api.entry import session
from fleet.core.model.inventory import Inventory
from fleet.core.model.outcome import NodeOutcome
from fleet.core.rollout.state import begin
from fleet.node.work_order import Access


def drive(
    rollout: Rollout,
    *,
    how: Access | None = None,
    observe: Callable[[NodeOutcome], None] | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> dict[str, NodeOutcome]:
    """Carry out a rollout with the same gates and guards as the command; return all outcomes.

    `observe` is called with every node's outcome, in the thread of the caller. `stopping` is
    called before each batch. An exception from either of them stops the rollout as `stopping`
    does, and is raised at the end. No journal is written: `fleet history` and `fleet resume` do
    not see this rollout. If this process crashes, the nodes' guards revert unconfirmed changes.
    """
    callbacks = _Callbacks(observe or (lambda _: None), stopping)
    with session(how, _Observed(callbacks)) as opened:
        job = Job(
            id=rollout.id,
            kind="rollout",
            options=RolloutOptions(no_verify=not rollout.verify),
            session=opened,
            inventory=rollout.inventory or Inventory((), {}),
            journal=RolloutJournal(rollout.id, None, None),
            plans=dict(rollout.plans),
            outcomes=dict(rollout.settled),
            deadlines=rollout.deadlines,
        )
        settled = {name: outcome.status for name, outcome in rollout.settled.items()}
        result = job.carry_out(begin(rollout.batches, settled), rollout.policy)
    return dict(result.outcomes)


class _Callbacks(Progress):
    """A view that calls the caller's functions."""

    def __init__(
        self, observe: Callable[[NodeOutcome], None], stopping: Callable[[], bool]
    ) -> None:
        self._observe, self._stopping = observe, stopping

    def ended(self, outcome: NodeOutcome) -> None:
        self._observe(outcome)

    def stopping(self) -> bool:
        return self._stopping()


class _Observed(UserInterface):
    """A user interface that passes the progress on to the caller's functions."""

    def __init__(self, callbacks: Progress) -> None:
        self._callbacks = callbacks

    @contextmanager
    def progress(
        self, rollout: str, scope: Scope, abandon: Callable[[], None]
    ) -> Iterator[Progress]:
        del rollout, scope, abandon
        yield self._callbacks

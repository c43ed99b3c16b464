"""The rollout: it applies mirrors.yaml to nodes, batch by batch, with health gates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fleet.actions.job import RolloutResult
from fleet.actions.journaling import JournalFiles
from fleet.actions.new_job import JobRequest, plan_job, run_job
from fleet.actions.options import RolloutOptions
from fleet.actions.session import Session
from fleet.actions.survey import survey
from fleet.actions.user_interface import UserInterface
from fleet.config.load import Loaded
from fleet.core.model.inventory import Inventory
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeStatus
from fleet.core.plan.node_plan import NodePlan
from fleet.core.selection.ranges import compress
from fleet.errors import FleetError

RERUN = {
    "failed": {
        NodeStatus.FAILED,
        NodeStatus.NO_ACCESS,
        NodeStatus.ROLLED_BACK,
        NodeStatus.STALE,
        NodeStatus.DEGRADED,
    },
    "unreachable": {NodeStatus.UNREACHABLE},
}
"""The nodes of an earlier rollout that `--rerun` selects, by its argument."""


def rollout(
    files: Loaded,
    nodes: Sequence[Node],
    options: RolloutOptions,
    session: Session,
    journal: JournalFiles | None,
) -> RolloutResult:
    """Apply mirrors.yaml to nodes; without `journal` the rollout cannot be resumed."""
    return run_job(_request(files, nodes, options), session, journal)


def plan_rollout(
    files: Loaded, nodes: Sequence[Node], options: RolloutOptions, session: Session
) -> list[NodePlan]:
    """Return the plans that a rollout would carry out, changing nothing."""
    return plan_job(_request(files, nodes, options), session)


def _request(files: Loaded, nodes: Sequence[Node], options: RolloutOptions) -> JobRequest:
    return JobRequest(
        kind="rollout",
        options=options,
        inventory=files.inventory,
        nodes=nodes,
        survey=partial(survey, files, nodes, options=options.render),
        config=files.mirrors,
    )


def nodes_to_rerun(
    which: str, rollout_id: str, inventory: Inventory, journal: JournalFiles, ui: UserInterface
) -> frozenset[str]:
    """Return the names of the nodes that an earlier rollout left `which`: failed or unreachable.

    Show the user which of them are not in the inventory any more. Raise a FleetError if none
    is left to run again.
    """
    if which not in RERUN:
        raise FleetError(f"rerun of {which!r} nodes: expected one of {', '.join(RERUN)}")
    entries = journal.open(ui)
    record = entries.rollout(rollout_id)
    replayed = entries.replayed(record)
    names = [name for name, status in replayed.state.nodes.items() if status in RERUN[which]]
    if not names:
        raise FleetError(f"rollout {record.id} has left no {which} nodes; nothing to do again")
    known = {node.name for node in inventory.nodes}
    if gone := [name for name in names if name not in known]:
        message = (
            f"{compress(gone)}: {which} in rollout {record.id}, and not in the inventory any more"
        )
        if len(gone) == len(names):
            raise FleetError(f"{message}; give renamed nodes with --limit")
        ui.message(message)
    return frozenset(names)

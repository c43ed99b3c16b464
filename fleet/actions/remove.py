"""The removal: it takes fleet off nodes, and restores the config from before fleet."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fleet.actions.job import RolloutResult
from fleet.actions.journaling import JournalFiles
from fleet.actions.new_job import JobRequest, plan_job, run_job
from fleet.actions.options import RolloutOptions
from fleet.actions.rollback import undo_request
from fleet.actions.session import Session
from fleet.actions.survey import survey_saved
from fleet.core.model.inventory import Inventory
from fleet.core.model.mirror import Foreign
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.removal import RemovalRequest
from fleet.core.plan.undo_request import UndoRequest
from fleet.core.rollout.policy import OnFailure
from fleet.errors import FleetError


def remove(
    inventory: Inventory,
    nodes: Sequence[Node],
    options: RolloutOptions,
    session: Session,
    journal: JournalFiles | None,
) -> RolloutResult:
    """Restore each node's original config, then remove all of fleet's own files from it."""
    return run_job(_request(inventory, nodes, options), session, journal)


def plan_remove(
    inventory: Inventory, nodes: Sequence[Node], options: RolloutOptions, session: Session
) -> list[NodePlan]:
    """Return the plans that a removal would carry out, changing nothing."""
    return plan_job(_request(inventory, nodes, options), session)


def _request(inventory: Inventory, nodes: Sequence[Node], options: RolloutOptions) -> JobRequest:
    if options.on_failure != OnFailure.HALT:
        raise FleetError(
            f"--on-failure {options.on_failure}: a node from which fleet was removed has nothing to"
            " roll back to; only halt is possible"
        )
    return JobRequest(
        kind="remove",
        options=options,
        inventory=inventory,
        nodes=nodes,
        survey=partial(survey_saved, nodes, request=_removal_request(options)),
    )


def _removal_request(options: RolloutOptions) -> RemovalRequest:
    overwrite = Foreign(options.foreign) is Foreign.OVERWRITE
    return RemovalRequest(keep_config=options.keep_config, overwrite=overwrite)


def saved_request(
    kind: str, options: RolloutOptions, journal: JournalFiles | None
) -> UndoRequest | RemovalRequest:
    """Return what a rollback, an undo or a removal of the journal asks of each node."""
    return _removal_request(options) if kind == "remove" else undo_request(options, journal)

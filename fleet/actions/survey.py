"""The survey of nodes: their facts, their plans, and the order in which they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from fleet.actions.options import RenderOptions
from fleet.actions.session import Session
from fleet.config.load import Loaded
from fleet.core.failure import Failure
from fleet.core.history.serialize_facts import facts_data
from fleet.core.masking.known import clean_failure
from fleet.core.model.inventory import Inventory
from fleet.core.model.mirror import Foreign, MirrorConfig
from fleet.core.model.node import Node
from fleet.core.model.node_state import NodeState
from fleet.core.plan.removal import RemovalRequest
from fleet.core.plan.state import node_state
from fleet.core.plan.undo_request import UndoRequest
from fleet.core.render.base import DesiredConfig, desired_config_by_node
from fleet.engine import survey as engine
from fleet.engine.bugs import isolate_bugs
from fleet.engine.duplicate_nodes import refuse_duplicate_nodes
from fleet.engine.survey import NodeSurvey, examine


def survey(
    files: Loaded, nodes: Sequence[Node], session: Session, options: RenderOptions | None = None
) -> list[NodeSurvey]:
    """Probe and plan nodes, changing nothing; return their surveys in the order of `nodes`.

    A node that cannot be read has no facts, and its plan has a failure.
    """
    desired = desired_config(files.inventory, files.mirrors, options)
    session = session.ready(nodes)
    surveys = engine.survey(nodes, desired, session.access, pool=session.pool)
    return in_order(report_progress(surveys, len(nodes), session, files.mirrors), nodes)


def survey_saved(
    nodes: Sequence[Node], session: Session, request: UndoRequest | RemovalRequest
) -> list[NodeSurvey]:
    """Probe nodes with their saved generations, and plan what a request undoes or removes."""
    session = session.ready(nodes)
    surveys = engine.survey_saved(nodes, session.access, request, pool=session.pool)
    return in_order(report_progress(surveys, len(nodes), session), nodes)


def probe(
    files: Loaded, nodes: Sequence[Node], session: Session
) -> list[tuple[NodeSurvey, dict[str, Any] | None]]:
    """Probe nodes; return each survey with its facts as data, or None for an unread node."""
    return [examine(result, facts_data) for result in survey(files, nodes, session)]


def desired_config(
    inventory: Inventory, config: MirrorConfig, options: RenderOptions | None = None
) -> Callable[[Node], DesiredConfig]:
    """Return a function from a node to its desired config, as mirrors.yaml gives it."""
    chosen = options or RenderOptions()
    return desired_config_by_node(
        inventory, config, Foreign(chosen.foreign), full_default=chosen.full_default
    )


def report_progress(
    results: Iterable[NodeSurvey], total: int, session: Session, config: MirrorConfig | None = None
) -> Iterator[NodeSurvey]:
    """Report each survey to the user as it comes; yield it without secrets."""
    secrets = session.secrets(config)
    for number, unmasked in enumerate(results, 1):
        result = _without_secrets(unmasked, secrets)
        session.ui.surveyed(result, number, total)
        yield result


def _without_secrets(result: NodeSurvey, secrets: Iterable[str]) -> NodeSurvey:
    """Return the survey of a node without the secrets that fleet knows."""
    failure = result.plan.failure
    if failure is None:
        return result
    return replace(result, plan=replace(result.plan, failure=clean_failure(failure, secrets)))


def in_order(results: Iterable[NodeSurvey], nodes: Iterable[Node]) -> list[NodeSurvey]:
    """Sort surveys into the order of `nodes`; fail the nodes that are the same machine.

    Their plans get the nodes' states.
    """
    positions = {node.name: number for number, node in enumerate(nodes)}
    ordered = sorted(results, key=lambda result: positions[result.node.name])
    return [_with_state(result) for result in refuse_duplicate_nodes(ordered)]


def _with_state(result: NodeSurvey) -> NodeSurvey:
    """Return the survey with the node's state in its plan.

    A rollback's plan has none, as it says nothing about the node and mirrors.yaml.
    """
    if result.plan.rollback is not None:
        return result
    state = isolate_bugs(partial(node_state, result.facts, result.plan), result.node.name)
    known = NodeState.CONFLICT if isinstance(state, Failure) else state
    return replace(result, plan=replace(result.plan, state=known))

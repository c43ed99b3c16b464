"""Reading nodes from Python: their plans, their verification and their drift; nothing changes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fleet.actions import drift as drifting
from fleet.actions import verify as verifying
from fleet.actions.options import RenderOptions
from fleet.actions.survey import survey as survey_nodes
from fleet.actions.verify import VerifyOptions
from fleet.api.entry import NODES_AT_ONCE, selected, session
from fleet.config.load import Loaded
from fleet.core.failure import Failure
from fleet.core.masking import Fingerprints
from fleet.core.model.node_state import NodeState
from fleet.core.model.outcome import NodeOutcome
from fleet.core.plan.drift import DriftedFile
from fleet.core.plan.state import node_state
from fleet.engine.survey import NodeSurvey
from fleet.journal import passing_key
from fleet.node.work_order import Access


@dataclass(frozen=True, slots=True)
class NodeDrift:
    """The state of one node, and its files that are not as fleet wrote them.

    It has a failure if it cannot be read.
    """

    node: str
    state: NodeState
    files: tuple[DriftedFile, ...] = ()
    failure: Failure | None = None


def survey(
    files: Loaded,
    limit: str | None = None,
    *,
    how: Access | None = None,
    foreign: str = "adopt",
    parallel: int = NODES_AT_ONCE,
) -> list[NodeSurvey]:
    """Read nodes and plan each of them, changing nothing; return them in inventory order.

    `limit` is a pattern as --limit takes it, without `@file`. `foreign` is adopt, keep or
    overwrite. `parallel` is how many nodes are read at once. A node that cannot be read has no
    facts, and its plan has a failure.
    """
    with session(_unchecked(how), parallel=parallel) as opened:
        options = RenderOptions(foreign=foreign)
        return survey_nodes(files, selected(files, limit), opened, options)


def verify(
    files: Loaded,
    limit: str | None = None,
    *,
    how: Access | None = None,
    options: VerifyOptions | None = None,
    parallel: int = NODES_AT_ONCE,
) -> list[NodeOutcome]:
    """Pull the verification images on nodes as they are now, as `fleet verify` does.

    A node whose pulls all succeed is `unchanged`. `NodeOutcome.verified` says which mirror served
    each pull.
    """
    with session(how, parallel=parallel) as opened:
        nodes = selected(files, limit)
        outcomes, _ = verifying.verify(files, nodes, options or VerifyOptions(), opened)
        return outcomes


def drift(
    files: Loaded,
    limit: str | None = None,
    *,
    how: Access | None = None,
    foreign: str = "adopt",
    parallel: int = NODES_AT_ONCE,
) -> list[NodeDrift]:
    """Return each node's state, and its files that were changed, removed or added.

    A node that cannot be read has a failure and no files.
    """
    with session(_unchecked(how), parallel=parallel) as opened:
        options, mark = RenderOptions(foreign=foreign), Fingerprints(passing_key())
        examined = drifting.drift(files, selected(files, limit), opened, options, mark)
    return [
        NodeDrift(
            node=result.node.name,
            state=node_state(result.facts, result.plan),
            files=drifted,
            failure=None if result.facts else result.plan.failure,
        )
        for result, drifted in examined
    ]


def _unchecked(how: Access | None) -> Access:
    """Return the access without a check of the sudo password, which reading does not need."""
    return replace(how or Access(), prompted=True)

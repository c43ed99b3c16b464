"""Drift: files on nodes that are not as fleet left them."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.actions.options import RenderOptions
from fleet.actions.session import Session
from fleet.actions.survey import survey
from fleet.config.load import Loaded
from fleet.core.masking import Fingerprints
from fleet.core.model.node import Node
from fleet.core.plan.drift import DriftedFile, find_drift
from fleet.engine.survey import NodeSurvey, examine


def drift(
    files: Loaded,
    nodes: Sequence[Node],
    session: Session,
    options: RenderOptions,
    mark: Fingerprints,
) -> list[tuple[NodeSurvey, tuple[DriftedFile, ...]]]:
    """Return every node with its drifted files, and the tool that seems to have written each."""
    examined = [
        examine(result, lambda facts, plan: find_drift(facts, plan, mark))
        for result in survey(files, nodes, session, options)
    ]
    return [(result, drifted or ()) for result, drifted in examined]

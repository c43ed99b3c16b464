"""The work on a node in each status of a rollout."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.core.model.outcome import NodeStatus
from fleet.engine.tasks_in_flight import Work
from fleet.node.converge import converge
from fleet.node.recheck import recheck, settle_left
from fleet.node.revert import revert
from fleet.node.stage import release, stage


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeWork:
    """The functions that work on a node; `settle` finds out how far a dead worker came."""

    stage: Work = stage
    activate: Work = converge
    recheck: Work = recheck
    revert: Work = revert
    release: Work = release
    settle: Work = settle_left

    def at(self, status: NodeStatus) -> Work:
        """Return the work on a node in this status."""
        return {
            NodeStatus.STAGING: self.stage,
            NodeStatus.RUNNING: self.activate,
            NodeStatus.CHECKING: self.recheck,
            NodeStatus.REVERTING: self.revert,
        }[status]

    def after_death(self, status: NodeStatus) -> Work:
        """Return the work on a node whose worker died in this status."""
        return {
            NodeStatus.STAGED: self.release,
            NodeStatus.STAGING: self.settle,
            NodeStatus.RUNNING: self.settle,
            NodeStatus.CHECKING: self.recheck,
            NodeStatus.REVERTING: self.revert,
        }[status]

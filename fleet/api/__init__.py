"""The Python interface of fleet: survey, roll out, verify, undo, resume and remove.

No function here prints or asks. A failure on a node is a value (`NodePlan.failure`,
`NodeOutcome.failure`); mistakes in files and patterns are exceptions, `FleetError`.
"""

from __future__ import annotations

from fleet.actions.job import RolloutResult
from fleet.actions.options import RolloutOptions
from fleet.actions.prepared_rollout import Rollout, plan
from fleet.actions.user_interface import Progress, UserInterface
from fleet.actions.verify import VerifyOptions
from fleet.api.entry import access, load
from fleet.api.nodes import NodeDrift, drift, survey, verify
from fleet.api.prepared import drive
from fleet.api.rollouts import remove, resume, rollback, rollout, undo
from fleet.core.failure import Failure, FailureKind
from fleet.core.model.node_state import NodeState
from fleet.core.model.outcome import NodeOutcome, NodeStatus, Verified
from fleet.core.plan.drift import Drift, DriftedFile
from fleet.core.plan.node_plan import NodePlan
from fleet.core.rollout.state import RolloutStatus
from fleet.engine.survey import NodeSurvey
from fleet.errors import ConfigErrors, FleetError, HeldError
from fleet.node.work_order import Access

__all__ = [
    "Access",
    "ConfigErrors",
    "Drift",
    "DriftedFile",
    "Failure",
    "FailureKind",
    "FleetError",
    "HeldError",
    "NodeDrift",
    "NodeOutcome",
    "NodePlan",
    "NodeState",
    "NodeStatus",
    "NodeSurvey",
    "Progress",
    "Rollout",
    "RolloutOptions",
    "RolloutResult",
    "RolloutStatus",
    "UserInterface",
    "Verified",
    "VerifyOptions",
    "access",
    "drift",
    "drive",
    "load",
    "plan",
    "remove",
    "resume",
    "rollback",
    "rollout",
    "survey",
    "undo",
    "verify",
]

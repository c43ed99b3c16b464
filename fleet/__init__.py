"""Roll out containerd registry mirrors to a fleet of nodes over SSH, safely.

The same from Python: `from fleet import load, survey, plan, drive`; see docs/how-to/python.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fleet.api import Access as Access
    from fleet.api import ConfigErrors as ConfigErrors
    from fleet.api import Drift as Drift
    from fleet.api import DriftedFile as DriftedFile
    from fleet.api import Failure as Failure
    from fleet.api import FailureKind as FailureKind
    from fleet.api import FleetError as FleetError
    from fleet.api import HeldError as HeldError
    from fleet.api import NodeDrift as NodeDrift
    from fleet.api import NodeOutcome as NodeOutcome
    from fleet.api import NodePlan as NodePlan
    from fleet.api import NodeState as NodeState
    from fleet.api import NodeStatus as NodeStatus
    from fleet.api import NodeSurvey as NodeSurvey
    from fleet.api import Progress as Progress
    from fleet.api import Rollout as Rollout
    from fleet.api import RolloutOptions as RolloutOptions
    from fleet.api import RolloutResult as RolloutResult
    from fleet.api import RolloutStatus as RolloutStatus
    from fleet.api import UserInterface as UserInterface
    from fleet.api import Verified as Verified
    from fleet.api import VerifyOptions as VerifyOptions
    from fleet.api import access as access
    from fleet.api import drift as drift
    from fleet.api import drive as drive
    from fleet.api import load as load
    from fleet.api import plan as plan
    from fleet.api import remove as remove
    from fleet.api import resume as resume
    from fleet.api import rollback as rollback
    from fleet.api import rollout as rollout
    from fleet.api import survey as survey
    from fleet.api import undo as undo
    from fleet.api import verify as verify

__version__ = "0.2.0"

_PUBLIC = (
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
)


def __getattr__(name: str) -> Any:
    """Import the library on first use, so that `import fleet` alone stays cheap."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'fleet' has no attribute {name!r}")
    from fleet import api  # noqa: PLC0415

    return getattr(api, name)


def __dir__() -> list[str]:
    return [*globals(), *_PUBLIC]

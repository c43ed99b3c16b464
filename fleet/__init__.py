"""Roll out containerd registry mirrors to a fleet of nodes over SSH, safely.

The same from Python: `from fleet import load, survey, plan, drive`; see docs/how-to/python.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fleet.api import Access as Access
    from fleet.api import Progress as Progress
    from fleet.api import Rollout as Rollout
    from fleet.api import RolloutOptions as RolloutOptions
    from fleet.api import RolloutResult as RolloutResult
    from fleet.api import UserInterface as UserInterface
    from fleet.api import access as access
    from fleet.api import drive as drive
    from fleet.api import load as load
    from fleet.api import plan as plan
    from fleet.api import resume as resume
    from fleet.api import rollback as rollback
    from fleet.api import rollout as rollout
    from fleet.api import survey as survey

__version__ = "0.2.0"

_PUBLIC = (
    "Access",
    "Progress",
    "Rollout",
    "RolloutOptions",
    "RolloutResult",
    "UserInterface",
    "access",
    "drive",
    "load",
    "plan",
    "resume",
    "rollback",
    "rollout",
    "survey",
)


def __getattr__(name: str) -> Any:
    """Import the library on first use, so that `import fleet` alone stays cheap."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'fleet' has no attribute {name!r}")
    from fleet import api  # noqa: PLC0415

    return getattr(api, name)


def __dir__() -> list[str]:
    return [*globals(), *_PUBLIC]

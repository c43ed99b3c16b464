"""The shared flags of a command line, for tests of what it prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fleet.cli.options import Settings


def settings_of(**fields: Any) -> Settings:
    """Return the flags of a command without any, but for those that are given."""
    plain = {
        "inventory": Path("inventory.yaml"),
        "mirrors": Path("mirrors.yaml"),
        "limit": None,
        "exclude": None,
        "ssh_config": None,
        "as_json": False,
        "quiet": False,
        "verbose": 0,
        "color": False,
    }
    return Settings(**{**plain, **fields})


TEXT = settings_of()
JSON = settings_of(as_json=True)
WIDE = settings_of(wide=True)

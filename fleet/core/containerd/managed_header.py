"""The header of files that fleet writes: it tells people where to change them."""

from __future__ import annotations

_MANAGED = "# Managed by fleet: "


_WRITTEN = "# Written by fleet "


HEADER = f"{_MANAGED}change mirrors.yaml instead.\n"


MIGRATED = (
    f"{_WRITTEN}from legacy settings of containerd's config. mirrors.yaml does not name\n"
    "# this registry: change this file, or name the registry there.\n"
)
"""The header of a file that later rollouts leave as it is."""


def managed_because(reason: str) -> str:
    """Return the header of a file that is managed for a reason of its own."""
    return f"{_MANAGED}{reason}\n"


def has_header(content: bytes) -> bool:
    """Return whether a file begins with a header of fleet."""
    return content.startswith((_MANAGED.encode(), _WRITTEN.encode()))

"""Home folders in paths that users write."""

from __future__ import annotations

import os.path
from pathlib import Path


def expanded(path: str | Path) -> Path:
    """Return a path with `~` and `~user` replaced; an unknown user's name stays, as in a shell."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises an error for it

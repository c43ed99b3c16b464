"""The shells in which each library function is tested."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.node.scripts.shell import Shell


@pytest.fixture(params=["dash", "bash"])
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    """Return each shell in turn, with an empty folder."""
    return Shell(request.param, tmp_path)

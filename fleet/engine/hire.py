"""The crew of one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fleet.engine.crew import Crew, Threads


@contextmanager
def hired(parallel: int) -> Iterator[Crew]:
    """Let a crew work, and let it go; `parallel` nodes are read at once."""
    crew = Threads(parallel)
    try:
        yield crew
    finally:
        crew.close()

"""The number of connections that fit into this process's limit of file descriptors."""

from __future__ import annotations

import resource
from contextlib import suppress

_WANTED = 8192
_OTHERS = 32
"""Descriptors beside connections: streams, journal, log, agents, files that are being read."""
_PER_NEW = 4
"""Descriptors of a connection that is being made: three for a ProxyCommand, and an agent's."""
_PER_POOLED = 3
_MAX_POOLED = 128


def raise_limit() -> None:
    """Raise this process's limit as far as it can be raised without privileges."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = _WANTED if hard == resource.RLIM_INFINITY else min(_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def max_busy_nodes() -> int:
    """Return how many nodes may be worked on at once; half of the descriptors are for them."""
    return max(1, _half_limit() // _PER_NEW)


def max_pooled() -> int:
    """Return how many idle connections may be kept; the other half is for them."""
    return min(_MAX_POOLED, _half_limit() // _PER_POOLED)


def _half_limit() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (_WANTED if soft == resource.RLIM_INFINITY else max(0, soft - _OTHERS)) // 2

"""Hosts that refuse ctr, which has no login, and may serve kubelet, which has pull secrets."""

from __future__ import annotations

from collections.abc import Set

from fleet.core.verify.trace import Log, Trace


def host_with_login(trace: Trace, log: Log, closed: Set[str], *, logs_all: bool) -> str | None:
    """Return the closed host that must have resolved the name of an image that was pulled.

    It is certain if all others have failed for ctr. It is as well if the daemon `logs_all` hosts
    that fail, and its log of this pull, which can be read, does not name it or one before it.
    """
    if trace.resolved is None and len(closed) == 1:
        return next(iter(closed))
    if not logs_all or log.size is None:
        return None
    first = next((hop.host for hop in trace.hops if hop.host not in log.passed_over), None)
    return first if first in closed else None

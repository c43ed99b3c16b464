"""A host that refuses ctr has served kubelet only where no other host can have."""

from __future__ import annotations

import pytest

from fleet.core.model.outcome import HostAttempt
from fleet.core.verify.closed_hosts import host_with_login
from fleet.core.verify.trace import Log, Trace

A, B, C = "a.test", "b.test", "c.test"


def trace(*failed: str, resolved: str | None = None) -> Trace:
    hops = [HostAttempt(host, "resolve", "401 Unauthorized") for host in failed]
    if resolved:
        hops.append(HostAttempt(resolved, "resolve", "200 OK"))
    return Trace(hops=tuple(hops), resolved=resolved)


READ = Log(size=733)
CASES = {
    "the only one that is closed": (trace(A), Log(), {A}, False, A),
    "two that are closed": (trace(A, B), Log(), {A, B}, False, None),
    "the first of two, by the log": (trace(A, B), READ, {A, B}, True, A),
    "the second of two, by the log": (trace(A, B), Log((A,), size=9), {A, B}, True, B),
    "one before the host that serves ctr": (trace(A, resolved=B), READ, {A}, True, A),
    "a log that names few hosts": (trace(A, resolved=B), READ, {A}, False, None),
    "a log that is empty": (trace(A, resolved=B), Log(), {A}, True, None),
    "a host that failed for kubelet too": (
        trace(A, resolved=B), Log((A,), size=9), {A}, True, None,
    ),
    "an open host before it": (trace(C, A, resolved=B), READ, {A}, True, None),
    "none": (trace(resolved=B), READ, set(), True, None),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "log", "closed", "logs_all", "host"), CASES.values(), ids=CASES)
def test_the_host(
    asked: Trace, log: Log, closed: set[str], logs_all: bool, host: str | None
) -> None:
    assert host_with_login(asked, log, closed, logs_all=logs_all) == host

"""Tests of endpoints from many nodes at once, with a limit on concurrent tests per mirror."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from fleet.core.failure import Failure, FailureKind, NodeError
from fleet.core.mirrors.check import EndpointCheck, Target
from fleet.core.model.node import Node
from fleet.engine.workers.base import ThreadPool, map_nodes
from fleet.node.mirrors.session import (
    MirrorOrder,
    MirrorSession,
    forwarding_refused,
    mirror_session,
)

_AT_ONCE = 4
"""Endpoints that one node tests at once: one that hangs must not delay the others."""
_JITTER = 0.3
"""Seconds of jitter before a node's first test, so that nodes do not all start together."""
_MOST_TRIED = 3
"""The most nodes of a site that are tried; the next one is tried if one cannot be reached."""


@dataclass(frozen=True, slots=True)
class SiteTested:
    """The test from one node: its results in the order of mirrors.yaml, or its failure."""

    node: str
    site: str
    results: tuple[EndpointCheck, ...] = ()
    failure: Failure | None = None
    behind: float = 0.0
    """Seconds by which the node's clock is behind this machine's, which checks certificates."""


@dataclass(frozen=True, slots=True)
class _Job:
    """One test, and the nodes that may run it: the first that can be reached does.

    `spread` adds jitter before the first request.
    """

    orders: tuple[MirrorOrder, ...]
    limits: _Limits
    spread: bool

    @property
    def node(self) -> Node:
        """Return the node that is tried first."""
        return self.orders[0].node


@dataclass(slots=True)
class _Limits:
    """Limits on the tests that run against one mirror at the same time, over all nodes."""

    most: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    semaphores: dict[str, threading.Semaphore] = field(default_factory=dict)

    def of(self, authority: str) -> threading.Semaphore:
        with self.lock:
            return self.semaphores.setdefault(authority, threading.Semaphore(self.most))


def try_mirrors(
    groups: Sequence[tuple[MirrorOrder, ...]], *, parallel: int, per_mirror: int
) -> Iterator[SiteTested]:
    """Test from the first reachable node of every group; yield results as they come.

    The tests always run in threads of this process, whatever --engine is given: the limits per
    mirror are shared between them.
    """
    limits = _Limits(per_mirror)
    jobs = [_Job(group[:_MOST_TRIED], limits, len(groups) > 1) for group in groups]
    pool = ThreadPool(parallel)
    try:
        for job, result in map_nodes(_test_group, jobs, pool):
            if isinstance(result, Failure):
                yield SiteTested(job.node.name, job.node.site or "", failure=result)
            else:
                yield result
    finally:
        pool.close()


_NO_LOGIN = {FailureKind.CONNECT, FailureKind.HOST_KEY, FailureKind.AUTH}


def _test_group(job: _Job) -> SiteTested:
    """Test from the first node of a group that fleet can log in to."""
    result = None
    for order in job.orders:
        result = _test_from(order, job)
        if result.failure is None or result.failure.kind not in _NO_LOGIN:
            break
    assert result is not None  # noqa: S101 - a group has nodes
    return result


def _test_from(order: MirrorOrder, job: _Job) -> SiteTested:
    node = order.node
    if job.spread:
        time.sleep(random.uniform(0, _JITTER))  # noqa: S311 - jitter, not a secret
    try:
        with mirror_session(order) as session:
            results = _test_all(session, order.targets, job.limits)
            if (refused := forwarding_refused(results)) is not None:
                raise refused
    except NodeError as error:
        return SiteTested(node.name, node.site or "", failure=error.failure)
    return SiteTested(node.name, node.site or "", results, behind=session.facts.behind)


def _test_all(
    session: MirrorSession, targets: tuple[Target, ...], limits: _Limits
) -> tuple[EndpointCheck, ...]:
    """Test all endpoints in a random order; return the results in the order of `targets`."""

    def test(number: int) -> tuple[int, EndpointCheck]:
        target = targets[number]
        with limits.of(target.mirror.authority):
            return number, session.test(target)

    numbers = random.sample(range(len(targets)), len(targets))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        results = dict(pool.map(test, numbers))
    return tuple(results[number] for number in range(len(targets)))


def groups_of(orders: Sequence[MirrorOrder], *, per_site: bool) -> list[tuple[MirrorOrder, ...]]:
    """Return one group for each node, or one for each site."""
    if not per_site:
        return [(order,) for order in orders]
    sites: dict[str | None, tuple[MirrorOrder, ...]] = {}
    for order in orders:
        sites[order.node.site] = (*sites.get(order.node.site, ()), order)
    return list(sites.values())

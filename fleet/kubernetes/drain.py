"""The drain of a node by the eviction API, which respects PodDisruptionBudgets."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from fleet.core.failure import Failure
from fleet.core.kubernetes.drain import (
    STOPPED,
    DrainOptions,
    EvictionState,
    Pod,
    blocked_lines,
    eviction,
    eviction_answer,
    is_passing,
    parse_pod,
    plan_drain,
    refusal_failure,
    timeout_failure,
)
from fleet.core.text.counts import counted
from fleet.kubernetes.client import Cluster, api_path
from fleet.kubernetes.errors import ClusterError

RETRY = 5.0
"""Seconds between two tries to evict a pod, as kubectl has them."""
POLL = 1.0
"""Seconds between two looks at the pods that are ending."""


def drain(
    cluster: Cluster,
    name: str,
    options: DrainOptions,
    report: Callable[[str], None],
    stopping: Callable[[], bool] = lambda: False,
) -> tuple[Pod, ...] | Failure:
    """Evict the pods of a node and wait for their end; return the pods that were evicted.

    `report` is called with lines of progress: what is evicted, and what blocks it. If `stopping`
    returns true before the end, the result is STOPPED.
    """
    return _Drain(cluster, name, options, report, stopping).run()


class _Drain:
    """One drain: the pods to evict, those that are ending, and what keeps others from it."""

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        options: DrainOptions,
        report: Callable[[str], None],
        stopping: Callable[[], bool],
    ) -> None:
        self._cluster, self._name, self._options = cluster, name, options
        self._report, self._stopping = report, stopping
        self._until = time.monotonic() + options.timeout
        self._to_evict: dict[str, Pod] = {}
        self._ending: dict[str, Pod] = {}
        self._blocked: dict[str, str] = {}
        self._again_at: dict[str, float] = {}

    def run(self) -> tuple[Pod, ...] | Failure:
        try:
            plan = plan_drain(self._wait_for_pods(), self._options)
            if plan.refusal is not None:
                return plan.refusal
            self._to_evict = {pod.uid: pod for pod in plan.evicted}
            self._ending = {pod.uid: pod for pod in plan.deleting}
            left = f", {len(plan.left)} left in place" if plan.left else ""
            self._report(f"evicting {counted(len(plan.evicted), 'pod')}{left}")
            return self._evict_all() or plan.evicted
        except ClusterError as error:
            return error.failure

    def _evict_all(self) -> Failure | None:
        """Evict pods until all have ended; return the failure if that is not possible."""
        while not self._stopping():
            before = dict(self._blocked)
            for pod in list(self._to_evict.values()):
                if (failure := self._evict(pod)) is not None:
                    return failure
            self._report_blocked(before)
            present = {pod.uid for pod in self._wait_for_pods()}
            for pods in (self._to_evict, self._ending):
                for uid in pods.keys() - present:
                    del pods[uid]
            if not self._to_evict and not self._ending:
                return None
            if time.monotonic() > self._until:
                blocked = {pod: self._blocked[uid] for uid, pod in self._to_evict.items()}
                waiting = self._ending.values()
                return timeout_failure(self._options.timeout, blocked, waiting)
            time.sleep(POLL)
        return STOPPED

    def _evict(self, pod: Pod) -> Failure | None:
        """Try to evict a pod, unless it is too early after the last try."""
        now = time.monotonic()
        if now < self._again_at.get(pod.uid, now):
            return None
        path = api_path("api", "v1", "namespaces", pod.namespace, "pods", pod.name, "eviction")
        try:
            self._cluster.post(path, eviction(pod, self._options.grace))
        except ClusterError as error:
            return self._take_refusal(pod, error)
        self._ending[pod.uid] = self._to_evict.pop(pod.uid)
        return None

    def _take_refusal(self, pod: Pod, error: ClusterError) -> Failure | None:
        message = error.failure.evidence or error.failure.message
        answer = eviction_answer(pod.namespace, error.status, error.causes, message)
        match answer.state:
            case EvictionState.GONE:
                del self._to_evict[pod.uid]
            case EvictionState.BLOCKED:
                self._again_at[pod.uid] = time.monotonic() + RETRY
                self._blocked[pod.uid] = answer.reason
            case EvictionState.REFUSED if error.status in {401, 403}:
                return error.failure
            case EvictionState.REFUSED:
                return refusal_failure(pod, answer.reason)
        return None

    def _report_blocked(self, before: Mapping[str, str]) -> None:
        """Report the pods that are blocked for another reason than `before`."""
        news = {
            pod: self._blocked[uid]
            for uid, pod in self._to_evict.items()
            if self._blocked[uid] != before.get(uid)
        }
        for line in blocked_lines(news):
            self._report(line)

    def _wait_for_pods(self) -> list[Pod]:
        """Return the pods on the node; wait until the deadline for an API that is away."""
        while True:
            try:
                items = self._cluster.items(
                    api_path("api", "v1", "pods"), fieldSelector=f"spec.nodeName={self._name}"
                )
            except ClusterError as error:
                if not is_passing(error.status) or time.monotonic() > self._until:
                    raise
                time.sleep(RETRY)
            else:
                return [parse_pod(item) for item in items]

"""The drain of a cluster node: the pods that are evicted, left alone, or that refuse it.

The rules are those of `kubectl drain --ignore-daemonsets`, with two differences. Finished pods are
left alone, since a restart cannot end them. A pod of a DaemonSet that does not exist any more is
left alone as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.text.counts import counted
from fleet.core.text.documents import table, table_list, word

_MIRROR = "kubernetes.io/config.mirror"
"""The annotation of a pod that shows a static pod of the kubelet; deleting it ends nothing."""
_FINISHED = {"Succeeded", "Failed"}
_BUDGET = re.compile(r"The disruption budget (\S+) ")
_PASSING = {0, 429, 502, 503, 504}
"""The HTTP statuses of an API server that is busy, restarting or not reachable for a while."""
_MOST_NAMED = 5
"""The pods that a message names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainOptions:
    """The options of a drain: its deadline, the grace for pods, and pods that may lose data.

    `grace` is None for each pod's own terminationGracePeriodSeconds.
    """

    timeout: int
    grace: int | None = None
    force: bool = False
    delete_emptydir_data: bool = False


class PodFate(StrEnum):
    """The treatment of a pod in a drain."""

    EVICT = "evict"
    LEAVE = "leave"
    DELETING = "deleting"
    """It is being deleted already; the drain waits for its end."""
    REFUSE = "refuse"
    """Nothing would bring it back, or it would lose its local data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod of a node, as far as a drain looks at it."""

    namespace: str
    name: str
    uid: str
    phase: str = ""
    controller: str = ""
    """The kind of its controller; empty if it declares none."""
    is_mirror: bool = False
    has_local_storage: bool = False
    is_deleting: bool = False

    @property
    def title(self) -> str:
        """Return the name with its namespace."""
        return f"{self.namespace}/{self.name}"


def parse_pod(raw: Mapping[str, Any]) -> Pod:
    """Parse a pod from the API; what has another type than expected counts as missing."""
    about = table(raw, "metadata")
    owners = table_list(about, "ownerReferences")
    kinds = [word(owner, "kind") for owner in owners if owner.get("controller") is True]
    volumes = table_list(table(raw, "spec"), "volumes")
    return Pod(
        namespace=word(about, "namespace"),
        name=word(about, "name"),
        uid=word(about, "uid"),
        phase=word(table(raw, "status"), "phase"),
        controller=kinds[0] if kinds else "",
        is_mirror=_MIRROR in table(about, "annotations"),
        has_local_storage=any(volume.get("emptyDir") is not None for volume in volumes),
        is_deleting=about.get("deletionTimestamp") is not None,
    )


def pod_fate(pod: Pod, options: DrainOptions) -> PodFate:
    """Return what a drain does with a pod."""
    if pod.phase in _FINISHED or pod.is_mirror or pod.controller == "DaemonSet":
        return PodFate.LEAVE
    if pod.is_deleting:
        return PodFate.DELETING
    if _is_unmanaged(pod, options) or _loses_data(pod, options):
        return PodFate.REFUSE
    return PodFate.EVICT


def _is_unmanaged(pod: Pod, options: DrainOptions) -> bool:
    return not pod.controller and not options.force


def _loses_data(pod: Pod, options: DrainOptions) -> bool:
    return pod.has_local_storage and not options.delete_emptydir_data


@dataclass(frozen=True, slots=True)
class DrainPlan:
    """The pods of a node, by their treatment."""

    evicted: tuple[Pod, ...]
    deleting: tuple[Pod, ...]
    left: tuple[Pod, ...]
    unmanaged: tuple[Pod, ...]
    local_storage: tuple[Pod, ...]

    @property
    def refusal(self) -> Failure | None:
        """Return the failure of a drain that would destroy what it was not allowed to."""
        causes = [
            (self.local_storage, "with local storage (emptyDir)", "--delete-emptydir-data"),
            (self.unmanaged, "that declare no controller", "--drain-force"),
        ]
        found = [(pods, text, flag) for pods, text, flag in causes if pods]
        if not found:
            return None
        message = "; ".join(f"cannot evict pods {text}: {names(pods)}" for pods, text, _ in found)
        flags = " and ".join(flag for _, _, flag in found)
        remedy = f"move these pods, or add {flags} to evict them all the same"
        return Failure(FailureKind.DRAIN, Step.DRAIN, message, remedy)


def plan_drain(pods: Iterable[Pod], options: DrainOptions) -> DrainPlan:
    """Sort the pods of a node by what a drain does with them."""
    by_fate: dict[PodFate, list[Pod]] = {fate: [] for fate in PodFate}
    for pod in pods:
        by_fate[pod_fate(pod, options)].append(pod)
    refused = by_fate[PodFate.REFUSE]
    return DrainPlan(
        evicted=tuple(by_fate[PodFate.EVICT]),
        deleting=tuple(by_fate[PodFate.DELETING]),
        left=tuple(by_fate[PodFate.LEAVE]),
        unmanaged=tuple(pod for pod in refused if _is_unmanaged(pod, options)),
        local_storage=tuple(pod for pod in refused if _loses_data(pod, options)),
    )


def names(pods: Iterable[Pod]) -> str:
    """Return the names of pods; of many only the first ones."""
    titles = sorted(pod.title for pod in pods)
    more = len(titles) - _MOST_NAMED
    shown = ", ".join(titles[:_MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown


def eviction(pod: Pod, grace: int | None) -> dict[str, Any]:
    """Return the Eviction of a pod, which does not hit a later pod of the same name."""
    options: dict[str, Any] = {"preconditions": {"uid": pod.uid}}
    if grace is not None:
        options["gracePeriodSeconds"] = grace
    return {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"namespace": pod.namespace, "name": pod.name},
        "deleteOptions": options,
    }


class EvictionState(StrEnum):
    """The state of an eviction that the API has not accepted."""

    GONE = "gone"
    BLOCKED = "blocked"
    """It may be tried again: a budget is spent, the API is busy, or the namespace is ending."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Eviction:
    """The API's answer to an eviction that it has not accepted, and the reason."""

    state: EvictionState
    reason: str = ""


def eviction_answer(
    namespace: str, status: int, causes: Mapping[str, str], message: str
) -> Eviction:
    """Return the meaning of a failed eviction.

    `causes` has the messages of the API's Status object by their reason, `message` its own.
    """
    if status == 404:
        return Eviction(EvictionState.GONE)
    reason = _passing_reason(namespace, status, causes, message)
    return Eviction(EvictionState.BLOCKED if reason else EvictionState.REFUSED, reason or message)


def _passing_reason(namespace: str, status: int, causes: Mapping[str, str], message: str) -> str:
    """Return why an eviction is not possible for the moment; empty if it never will be."""
    if "DisruptionBudget" in causes and status == 429:
        return _budget_text(namespace, causes["DisruptionBudget"])
    if "NamespaceTerminating" in causes and status == 403:
        return f"namespace {namespace} is being deleted"
    texts = {409: "the pod has changed meanwhile", 429: "the API is busy (429)"}
    return texts.get(status) or (message if is_passing(status) else "")


def is_passing(status: int) -> bool:
    """Return whether a call that failed may succeed a moment later; 0 means without an answer."""
    return status in _PASSING


def _budget_text(namespace: str, cause: str) -> str:
    """Return which budget blocks an eviction, and its numbers, from the API's own words."""
    budget = _BUDGET.match(cause)
    if budget is None:
        return f"a PodDisruptionBudget allows no disruption ({cause})".replace(" ()", "")
    rest = cause[budget.end() :].strip().rstrip(".")
    return f"PodDisruptionBudget {namespace}/{budget[1]} {rest}"


STOPPED = Failure(
    FailureKind.DRAIN, Step.DRAIN, "stopped before the node was drained", "run `fleet resume`"
)
"""The end of a drain during which the user asked to stop; the node is unchanged."""


def refusal_failure(pod: Pod, reason: str) -> Failure:
    """Return the failure of a drain whose eviction of a pod the API refuses for good."""
    message = f"cannot evict {pod.title}: {reason}"
    remedy = "correct that in the cluster, then run the command again"
    return Failure(FailureKind.DRAIN, Step.DRAIN, message, remedy)


def blocked_lines(blocked: Mapping[Pod, str]) -> list[str]:
    """Return a line for each reason why pods cannot be evicted for the moment."""
    lines = []
    for reason, pods in _by_reason(blocked).items():
        verb = "is" if len(pods) == 1 else "are"
        lines.append(f"{names(pods)} {verb} blocked: {reason}; retry every 5 s")
    return lines


def _by_reason(blocked: Mapping[Pod, str]) -> dict[str, list[Pod]]:
    groups: dict[str, list[Pod]] = {}
    for pod, reason in blocked.items():
        groups.setdefault(reason, []).append(pod)
    return groups


def timeout_failure(seconds: float, blocked: Mapping[Pod, str], waiting: Iterable[Pod]) -> Failure:
    """Return the failure of a drain that did not end in time.

    `blocked` has the reason for each pod that could not be evicted. `waiting` pods were evicted
    and have not ended.
    """
    ending = list(waiting)
    causes = [f"{names(pods)}: {reason}" for reason, pods in _by_reason(blocked).items()]
    if ending:
        causes.append(f"{counted(len(ending), 'pod')} did not end: {names(ending)}")
    message = f"not drained within {seconds:.0f} s: {'; '.join(causes)}"
    remedy = "wait until more pods are healthy, or allow more time with --drain-timeout"
    return Failure(FailureKind.DRAIN, Step.DRAIN, message, remedy)

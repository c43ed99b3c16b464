"""The gates of a cluster: what its Node objects and pods show before a batch, and after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.kubernetes.cluster_node import ClusterNode
from fleet.core.kubernetes.cordon import cordon_mark
from fleet.core.kubernetes.pod_health import PodHealth, has_ended
from fleet.core.rollout.gates import GateDecision
from fleet.core.selection.ranges import compress
from fleet.core.text.counts import counted
from fleet.errors import printable, shortened

_PROBLEMS = {
    *("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"),
    *("ContainerRuntimeUnhealthy", "ContainerRuntimeDown", "FrequentContainerdRestart"),
    "KubeletUnhealthy",
}
"""Conditions that are a problem if they are true: of the kubelet and of node-problem-detector."""


_LEAVING = {
    "ToBeDeletedByClusterAutoscaler": "the cluster autoscaler is removing it",
    "DeletionCandidateOfClusterAutoscaler": "the cluster autoscaler may remove it",
    "karpenter.sh/disrupted": "Karpenter is removing it",
    "node.kubernetes.io/out-of-service": "it is out of service",
    "node.cloudprovider.kubernetes.io/shutdown": "its machine is shut down",
}
"""Taints of a node that is about to leave the cluster."""


_OF_CONDITIONS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
"""Taints that repeat the condition Ready."""


_NAMED = 3
"""The most findings that the failure of a node names."""


_LOOK = "look with `kubectl describe node {}`, and repair what is wrong"


_SKIPPED = "look with `kubectl describe node {}`, and change the node when it is Ready again"


_LONGEST = 300
"""The most characters of a text of the cluster in a message."""


class NotReady(StrEnum):
    """The treatment of a node that is not Ready before its batch."""

    IN_ORDER = "in-order"
    FIRST = "first"
    SKIP = "skip"


def not_ready(node: ClusterNode) -> str:
    """Return why a Node is not Ready; empty if it is Ready."""
    if node.ready == "True":
        return ""
    condition = node.conditions.get("Ready")
    if condition is None:
        return "not Ready: the kubelet has not reported yet"
    state = "not Ready" if condition.status == "False" else "not Ready (unknown)"
    detail = ": ".join(filter(None, (condition.reason, condition.message)))
    return _clean(f"{state}: {detail}" if detail else state)


def before_notes(node: ClusterNode) -> list[str]:
    """Return what is remarkable about a Node before its batch; nothing if it is as it should be."""
    notes = [not_ready(node)] if node.ready != "True" else []
    if node.unschedulable:
        ours = cordon_mark(node.annotations) is not None
        notes.append("cordoned by fleet" if ours else "cordoned, and stays so")
    notes += [f"has {kind}" for kind in _problems(node)]
    for taint in node.taints:
        if taint.key in _LEAVING:
            notes.append(_LEAVING[taint.key])
        elif taint.effect == "NoExecute" and taint.key not in _OF_CONDITIONS:
            notes.append(f"has the taint {_clean(taint.key)}:NoExecute")
    return notes


def _problems(node: ClusterNode) -> list[str]:
    conditions = node.conditions.items()
    return [kind for kind, found in conditions if kind in _PROBLEMS and found.status == "True"]


def decide_before(
    waiting: Collection[str],
    batch: Collection[str],
    nodes: Mapping[str, ClusterNode],
    unmatched: Mapping[str, Failure],
    choice: NotReady,
) -> GateDecision:
    """Decide about a batch before it begins.

    `waiting` are all nodes of the rollout that are not begun, `nodes` the Node objects of the whole
    fleet by the inventory's names. A waiting node without a Node object is held back: the gates
    could not be asked about it.
    """
    down = {name: reason for name, node in nodes.items() if (reason := not_ready(node))}
    skipped = {
        name: _failure(f"its Node {nodes[name].name} is {down[name]}", _SKIPPED, nodes[name].name)
        for name in batch
        if choice is NotReady.SKIP and name in down
    }
    lost = {name: unmatched[name] for name in waiting if name in unmatched}
    notes = [
        f"{name}: {'; '.join(remarks)}{' (skipped)' if name in skipped else ''}"
        for name in batch
        if name in nodes and (remarks := before_notes(nodes[name]))
    ]
    if others := [name for name in down if name not in batch]:
        notes.append(f"not Ready, outside this batch: {compress(others)}")
    return GateDecision(
        notes=tuple(notes), held={**skipped, **lost}, excused=frozenset(skipped), unavailable=down
    )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The Node and the pods of a node before its change."""

    node: ClusterNode
    pods: tuple[PodHealth, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong since the change; one that is not `final` may pass by itself."""

    message: str
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeView:
    """A node after its change, beside its snapshot from before it.

    `before` is None if there is none: an earlier run of fleet began the batch. `restarts_kubelet`
    is true if the kubelet runs in the unit that was restarted, as in k3s.
    """

    before: Snapshot | None
    node: ClusterNode | None
    pods: tuple[PodHealth, ...] = ()
    restarts_kubelet: bool = False


def findings(view: NodeView) -> list[Finding]:
    """Return what is wrong with a node since its change."""
    if view.node is None:
        return [Finding("its Node object is gone from the cluster", final=True)]
    if reason := not_ready(view.node):
        if view.before is not None and not_ready(view.before.node):
            return []  # it was not Ready before either, so its pods show nothing
        return [Finding(f"its Node is {reason}")]
    found = [*_node_findings(view.before, view.node)]
    if _was_not_ready(view) and not view.restarts_kubelet:
        found.append(Finding("its Node was not Ready for a time after the change", final=True))
    if view.before is not None:
        found += _pod_findings(view.before.pods, view.pods)
    return found


def _node_findings(before: Snapshot | None, node: ClusterNode) -> Iterator[Finding]:
    version = node.container_runtime_version
    if version.endswith("://Unknown") or not version:
        shown = _clean(version) or "nothing"
        yield Finding(f"its Node does not know the version of containerd ({shown})")
    known = _problems(before.node) if before is not None else ()
    for kind in _problems(node):
        if before is not None and kind not in known:
            yield Finding(f"its Node has {kind} since the change")


def _was_not_ready(view: NodeView) -> bool:
    """Return whether a Node was not Ready in between: Ready has another time of transition."""
    if view.before is None or view.node is None or view.before.node.ready != "True":
        return False
    conditions = view.before.node.conditions, view.node.conditions
    before, after = (of_node["Ready"].since for of_node in conditions)
    return before != after


def recovered(view: NodeView) -> str:
    """Return a note about a Node that was not Ready in between, where that is to be expected."""
    if view.restarts_kubelet and _was_not_ready(view):
        return "was not Ready while its kubelet restarted"
    return ""


def _pod_findings(before: Iterable[PodHealth], after: Iterable[PodHealth]) -> Iterator[Finding]:
    """Compare pods by their uid: a pod that is gone, new or ending says nothing about the change.

    Pods that were not Ready before are left out too: their containers restart by themselves.
    """
    present = {pod.uid: pod for pod in after}
    for pod in before:
        now = present.get(pod.uid)
        if now is None or not pod.ready or has_ended(pod) or now.deleting:
            continue
        restarts = [] if pod.ends_by_itself else list(_restarts(pod, now))
        yield from restarts
        if not restarts and not now.ready and not pod.ends_by_itself and now.phase != "Succeeded":
            why = f" ({_clean(now.reason)})" if now.reason else ""
            yield Finding(f"the pod {_clean(pod.title)} is not Ready any more{why}")


def _restarts(before: PodHealth, after: PodHealth) -> Iterator[Finding]:
    for name, container in before.containers.items():
        now = after.containers.get(name)
        if not container.running or now is None:
            continue
        replaced = now.id and container.id and now.id != container.id
        if now.restarts > container.restarts or replaced:
            why = f" ({_clean(now.last_end)})" if now.last_end else ""
            text = f"the container {_clean(name)} of the pod {_clean(before.title)}"
            yield Finding(f"{text} has restarted{why}", final=True)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judgement on the nodes of a batch: what is wrong with them, and what was remarkable."""

    wrong: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def open(self) -> list[str]:
        """Return the nodes whose findings may pass by themselves, without a final one."""
        return [
            name
            for name, found in self.wrong.items()
            if not any(finding.final for finding in found)
        ]


def judge(views: Mapping[str, NodeView]) -> Judgement:
    """Judge nodes after their change."""
    wrong = {name: tuple(found) for name, view in views.items() if (found := findings(view))}
    notes = [f"{name}: {note}" for name, view in views.items() if (note := recovered(view))]
    return Judgement(wrong, tuple(notes))


def decide_after(
    judgement: Judgement, views: Mapping[str, NodeView], converged: Collection[str], waited: float
) -> GateDecision:
    """Decide about a batch after it: what is wrong counts against the budget.

    A node that has failed already counts there, so a finding on it is only a note.
    """
    flagged: dict[str, Failure] = {}
    notes = list(judgement.notes)
    for name, found in judgement.wrong.items():
        text = _named(found)
        node = views[name].node
        if name in converged:
            flagged[name] = _failure(text, _LOOK, node.name if node is not None else name)
        else:
            notes.append(f"{name}: {text}")
    return GateDecision(notes=tuple(notes), flagged=flagged, waited=waited)


def _named(found: Collection[Finding]) -> str:
    texts = [finding.message for finding in found]
    more = len(texts) - _NAMED
    others = f", and {counted(more, 'more finding')}" if more > 0 else ""
    return "; ".join(texts[:_NAMED]) + others


def _failure(message: str, remedy: str, node: str) -> Failure:
    look = remedy.format(node)
    return Failure(FailureKind.CLUSTER, Step.GATE, shortened(message), shortened(look))


def _clean(text: str) -> str:
    """Return a text of the cluster in one line, with no more characters than a message takes."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."

"""The state of a node: the first that applies counts, whatever else is wrong with the node."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.failure import FailureKind, Step
from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.finding import Finding, FindingEffect
from fleet.core.model.node import Node
from fleet.core.model.node_state import NodeState
from fleet.core.model.owned_state import STATE_FILE
from fleet.core.model.pending import Pending
from fleet.core.plan.node_plan import NodePlan, PlannedConfig
from fleet.core.plan.state import is_outdated, node_state
from tests.support.build import facts_with, failure, healthy, owning

CERTS = "/etc/containerd/certs.d"
HOSTS, EXTRA = f"{CERTS}/docker.io/hosts.toml", f"{CERTS}/quay.io/hosts.toml"
OLD, NEW, EDITED = ManagedFile(b"old\n"), ManagedFile(b"new\n"), ManagedFile(b"edited\n")
NEVER = healthy(facts_with({HOSTS: "old\n"}))
MANAGED = owning(NEVER, HOSTS)
IN_SYNC = NodePlan(node=Node(name="n", host="n"), config=PlannedConfig(hosts_directory=CERTS))
CHANGING = replace(IN_SYNC, changes=(Change(HOSTS, OLD, NEW),))
UNDOING = replace(IN_SYNC, changes=(Change(HOSTS, EDITED, OLD),))
REFUSED = Finding("refused-config", FindingEffect.REFUSES, "/a:1", "is refused")
NO_CRI = Finding("legacy", FindingEffect.HEALS, "/a:1", "is legacy", stops_cri=True)


def with_files(facts: NodeFacts, files: dict[str, ManagedFile | None]) -> NodeFacts:
    kept = {path: file for path, file in facts.files.items() if path not in files}
    return replace(facts, files={**kept, **{path: file for path, file in files.items() if file}})


def at_times(facts: NodeFacts, **times: int) -> NodeFacts:
    paths = {"extra": EXTRA, "record": STATE_FILE}
    changed = {paths[name]: time for name, time in times.items()}
    return replace(facts, paths=replace(facts.paths, changed_at=changed))


def down(facts: NodeFacts) -> NodeFacts:
    unit = replace(facts.daemon.unit, active="inactive", sub="dead")
    return replace(facts, daemon=replace(facts.daemon, unit=unit))


def failing(kind: FailureKind) -> NodePlan:
    return replace(CHANGING, failure=failure(kind, Step.PLAN))


TAMPERED = with_files(MANAGED, {HOSTS: EDITED})
BESIDE = with_files(MANAGED, {EXTRA: NEW})
PENDING = replace(TAMPERED, pending=Pending("r1", "swapped", 100))
CASES: dict[str, tuple[NodeFacts, NodePlan, NodeState]] = {
    "nothing to change": (MANAGED, IN_SYNC, NodeState.IN_SYNC),
    "as mirrors.yaml asks, but not by fleet": (NEVER, IN_SYNC, NodeState.IN_SYNC),
    "a newer mirrors.yaml": (MANAGED, CHANGING, NodeState.OUTDATED),
    "never changed by fleet": (NEVER, CHANGING, NodeState.UNMANAGED),
    "a file was edited": (TAMPERED, UNDOING, NodeState.DRIFTED),
    "a file was edited, and mirrors.yaml too": (TAMPERED, CHANGING, NodeState.DRIFTED),
    "a file was edited outside the registry tables": (TAMPERED, IN_SYNC, NodeState.DRIFTED),
    "a file was removed": (with_files(MANAGED, {HOSTS: None}), UNDOING, NodeState.DRIFTED),
    "a file was added": (at_times(BESIDE, extra=9, record=5), IN_SYNC, NodeState.DRIFTED),
    "a file was there before": (at_times(BESIDE, extra=5, record=9), IN_SYNC, NodeState.IN_SYNC),
    "a file was there before, and mirrors.yaml now names its registry": (
        at_times(BESIDE, extra=5, record=9),
        replace(IN_SYNC, changes=(Change(EXTRA, NEW, OLD),)),
        NodeState.OUTDATED,
    ),
    "a guard is armed": (PENDING, IN_SYNC, NodeState.UNCONFIRMED),
    "a guard is armed on a node that is down": (down(PENDING), CHANGING, NodeState.UNCONFIRMED),
    "containerd is stopped": (down(MANAGED), failing(FailureKind.HEALTH), NodeState.UNHEALTHY),
    "containerd is stopped, nothing to change": (down(MANAGED), IN_SYNC, NodeState.UNHEALTHY),
    "containerd is stopped, a file was edited": (down(TAMPERED), UNDOING, NodeState.UNHEALTHY),
    "containerd is not installed": (
        down(NEVER),
        failing(FailureKind.UNSUPPORTED),
        NodeState.UNHEALTHY,
    ),
    "CRI does not load": (
        replace(MANAGED, cri=replace(MANAGED.cri, state="error")),
        IN_SYNC,
        NodeState.UNHEALTHY,
    ),
    "CRI does not load because of the config": (
        replace(MANAGED, cri=replace(MANAGED.cri, state="error")),
        replace(CHANGING, findings=(NO_CRI,)),
        NodeState.CONFLICT,
    ),
    "containerd is stopped, and its config has a conflict": (
        down(MANAGED),
        replace(CHANGING, findings=(NO_CRI,)),
        NodeState.UNHEALTHY,
    ),
    "containerd does not start because of the config": (
        down(MANAGED),
        replace(failing(FailureKind.UNSUPPORTED), findings=(REFUSED,)),
        NodeState.CONFLICT,
    ),
    "the config names a conflict that CRI survives": (
        MANAGED,
        replace(CHANGING, findings=(replace(NO_CRI, stops_cri=False),)),
        NodeState.OUTDATED,
    ),
    "fleet refuses to change it": (MANAGED, failing(FailureKind.CONFLICT), NodeState.CONFLICT),
    "a restart would end containers": (
        MANAGED,
        failing(FailureKind.WORKLOADS),
        NodeState.OUTDATED,
    ),
    "a file was edited, and fleet refuses to change it": (
        TAMPERED,
        failing(FailureKind.CONFLICT),
        NodeState.CONFLICT,
    ),
    "offline facts": (replace(down(NEVER), offline=True), CHANGING, NodeState.UNMANAGED),
    "offline facts that fleet refuses": (
        replace(NEVER, offline=True),
        failing(FailureKind.CONFLICT),
        NodeState.CONFLICT,
    ),
}


@pytest.mark.parametrize(("facts", "plan", "state"), CASES.values(), ids=list(CASES))
def test_the_state_of_a_node(facts: NodeFacts, plan: NodePlan, state: NodeState) -> None:
    assert node_state(facts, plan) is state


UNREAD = {
    "no connection": (FailureKind.CONNECT, NodeState.UNREACHABLE),
    "another host key": (FailureKind.HOST_KEY, NodeState.NO_ACCESS),
    "a refused login": (FailureKind.AUTH, NodeState.NO_ACCESS),
    "a refused sudo": (FailureKind.SUDO, NodeState.NO_ACCESS),
    "a node that hangs": (FailureKind.TIMEOUT, NodeState.UNHEALTHY),
    "a garbled reply": (FailureKind.PROTOCOL, NodeState.UNHEALTHY),
    "an error of fleet": (FailureKind.BUG, NodeState.CONFLICT),
}


@pytest.mark.parametrize(("kind", "state"), UNREAD.values(), ids=list(UNREAD))
def test_the_state_of_a_node_that_was_not_read(kind: FailureKind, state: NodeState) -> None:
    assert node_state(None, failing(kind)) is state


OUTDATED = {
    "nothing to change": (MANAGED, IN_SYNC, False),
    "a newer mirrors.yaml": (MANAGED, CHANGING, True),
    "only an edit to undo": (TAMPERED, UNDOING, False),
    "an edit, and a newer mirrors.yaml": (TAMPERED, CHANGING, True),
    "a registry to remove": (MANAGED, replace(IN_SYNC, changes=(Change(HOSTS, OLD, None),)), True),
    "never changed by fleet": (NEVER, CHANGING, False),
}


@pytest.mark.parametrize(("facts", "plan", "outdated"), OUTDATED.values(), ids=list(OUTDATED))
def test_a_drifted_node_may_be_outdated_too(
    facts: NodeFacts, plan: NodePlan, *, outdated: bool
) -> None:
    assert is_outdated(facts, plan) is outdated

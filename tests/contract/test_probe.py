"""The probe: what it reads of a node, and that it changes nothing."""

from __future__ import annotations

import hashlib

from fleet.core.failure import FailureKind
from fleet.core.model.node_state import NodeState
from fleet.core.plan.planner import plan_node
from fleet.core.plan.state import node_state
from fleet.core.render.base import DesiredConfig
from tests.contract.target import CONFIG, WANTED, Target, desired
from tests.node import test_probe as recorded


def test_the_probe_reads_the_release_its_health_and_its_files(target: Target) -> None:
    facts = target.facts()

    version, strategy, distribution = recorded.SUITES[target.suite]
    assert str(facts.daemon.running_version).startswith(version)
    assert facts.daemon.installed_version == facts.daemon.running_version
    assert (facts.machine.distribution, facts.config.path) == (distribution, CONFIG)
    assert (facts.cri.state, facts.cri.runtime_ready) == ("ok", True)
    assert facts.daemon.unit.running
    assert plan_node(target.node, facts, WANTED).strategy == strategy
    config = facts.files[CONFIG]
    digest = hashlib.sha256(config.content).hexdigest()
    assert target.etc()[CONFIG] == f"{config.mode:o} {config.uid} {config.gid} {digest}"


def test_the_probe_changes_nothing(target: Target) -> None:
    listed = "ls -lA /run/fleet /var/lib/fleet 2>/dev/null; true"
    before = target.etc(), target.machine.sh(listed).stdout

    target.facts()

    assert (target.etc(), target.machine.sh(listed).stdout) == before


def test_a_unit_that_is_down_is_seen_and_no_change_is_planned(target: Target) -> None:
    target.machine.sh("systemctl stop containerd")

    facts = target.facts()
    target.machine.sh("systemctl start containerd")

    assert not facts.daemon.unit.running
    failure = plan_node(target.node, facts, WANTED).failure
    assert failure is not None
    assert failure.kind is FailureKind.HEALTH


def state(target: Target, wanted: DesiredConfig = WANTED) -> NodeState:
    facts = target.facts()
    return node_state(facts, plan_node(target.node, facts, wanted))


def test_the_state_of_a_node_from_its_first_change_to_an_edit(target: Target) -> None:
    before = state(target)
    target.converged()
    in_sync, outdated = state(target), state(target, desired("https://other.example"))
    path = next(iter(target.facts().state.files))
    target.machine.sh(f"echo '# by hand' >>{path}")
    drifted = state(target, desired("https://other.example"))
    target.machine.sh("systemctl stop containerd")
    down = state(target)
    target.machine.sh("systemctl start containerd")

    assert [before, in_sync, outdated, drifted, down] == [
        NodeState.UNMANAGED,
        NodeState.IN_SYNC,
        NodeState.OUTDATED,
        NodeState.DRIFTED,
        NodeState.UNHEALTHY,
    ]


def test_an_unconfirmed_change_says_when_its_guard_reverts_it(target: Target) -> None:
    order = target.staged(guard=100)
    target.activate(order)

    facts = target.facts()

    assert node_state(facts, plan_node(target.node, facts, WANTED)) is NodeState.UNCONFIRMED
    assert facts.pending is not None
    assert (facts.pending.rollout, facts.pending.phase) == ("r1", "swapped")
    assert facts.pending.reverts_in is not None
    assert 60 < facts.pending.reverts_in <= 100


def test_without_a_guard_no_timer_reverts_a_change(target: Target) -> None:
    target.activate(target.staged(guard=0))

    pending = target.facts().pending

    assert pending is not None
    assert pending.reverts_in is None


def test_a_reboot_is_seen_by_its_boot_id(target: Target) -> None:
    before = target.facts()

    target.machine.reboot()

    assert target.facts().machine.id not in {"", before.machine.id}

"""The probe: what it reads of a node, and that it changes nothing."""

from __future__ import annotations

import hashlib

from fleet.core.failure import FailureKind
from fleet.core.plan.planner import plan_node
from tests.contract.target import CONFIG, WANTED, Target
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


def test_a_reboot_is_seen_by_its_boot_id(target: Target) -> None:
    before = target.facts()

    target.machine.reboot()

    assert target.facts().machine.id not in {"", before.machine.id}

"""Activation: the change is in force, guarded and unconfirmed, or the node is as it was."""

from __future__ import annotations

from dataclasses import replace

from fleet.core.failure import FailureKind
from fleet.node.activate import Ending
from tests.contract.target import CONFIG, PENDING, Target
from tests.contract.test_stage import with_config

GUARD_UNIT = "/etc/systemd/system/fleet-guard.service"


def test_an_active_change_is_in_force_and_guarded(target: Target) -> None:
    order = target.staged()
    pid = target.main_pid()

    applied = target.activate(order)

    assert (applied.ending, applied.failure, applied.restarted) == (Ending.SWAPPED, None, True)
    assert target.main_pid() != pid
    etc = target.etc()
    for change in order.plan.changes:
        after = change.after
        assert after is not None
        expected = f"{after.mode:o} {after.uid} {after.gid} {after.digest}"
        assert etc[change.path] == expected
    assert target.read(f"{PENDING}/phase").startswith("swapped ")
    assert GUARD_UNIT in etc
    assert "fleet-guard-r1.timer" in target.machine.sh("systemctl list-timers --all").stdout


def test_an_edit_after_staging_makes_the_plan_stale(target: Target) -> None:
    order = target.staged()
    target.machine.sh(f"echo '# by hand' >>{CONFIG}")
    before = target.etc()

    applied = target.activate(order)

    assert applied.failure is not None
    assert (applied.ending, applied.failure.kind) == (Ending.FAILED, FailureKind.STALE)
    assert target.etc() == before
    assert not target.held()


def test_an_edit_in_the_moment_of_the_swap_stays(target: Target) -> None:
    order = target.staged()
    before = target.etc()

    with target.acting("mv", f"*{CONFIG}", f"echo '# by hand' >>{CONFIG}"):
        applied = target.activate(order)

    assert applied.failure is not None
    assert applied.ending is Ending.ROLLED_BACK
    assert applied.failure.kind is FailureKind.STALE
    after = target.etc()
    assert "# by hand" in target.read(CONFIG)
    assert {path for path in after if after[path] != before.get(path)} == {CONFIG}
    assert not target.held()


def test_a_unit_that_is_ill_with_the_change_gets_the_old_files_back(target: Target) -> None:
    order = target.staged(health=1)
    before = target.etc()

    stopped = '"$real" "$@"; "$real" stop containerd; exit 0'
    with target.acting("systemctl", "restart*", stopped):
        applied = target.activate(order)

    assert applied.failure is not None
    assert (applied.ending, applied.failure.kind) == (Ending.ROLLED_BACK, FailureKind.HEALTH)
    assert target.etc() == before
    assert target.facts().cri.state == "ok"
    assert not target.held()


def test_a_config_that_ends_cri_is_taken_back(target: Target) -> None:
    """The daemon itself accepts it: containerd stays active with a dead CRI plugin."""
    plan = target.plan()
    change = next(change for change in plan.changes if change.path == CONFIG)
    assert change.before is not None
    assert change.after is not None
    cri = '[plugins."io.containerd.grpc.v1.cri".registry'
    mirrors = f'{cri}.mirrors."docker.io"]\n  endpoint = ["https://m.example"]\n'
    both = f'{change.before.content.decode()}{cri}]\n  config_path = "/etc/c"\n{mirrors}'
    plan = replace(with_config(plan, both), config=replace(plan.config, intended_registry=None))
    order = target.staged(plan, liveness=False, health=2)
    before = target.etc()

    applied = target.activate(order)

    if target.suite == "bullseye":  # 1.4 does not know config_path
        assert (applied.ending, applied.failure) == (Ending.SWAPPED, None)
        return
    assert applied.failure is not None
    assert (applied.ending, applied.failure.kind) == (Ending.ROLLED_BACK, FailureKind.HEALTH)
    assert target.etc() == before
    assert target.facts().cri.state == "ok"

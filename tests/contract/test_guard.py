"""The guard: the node itself reverts a change that is not confirmed in time."""

from __future__ import annotations

from fleet.core.failure import FailureKind
from fleet.node.settle import SettleMode, settle
from fleet.node.stage import stage
from tests.contract.target import GUARD, LAST, PENDING, Target

SUITES = ("bullseye", "forky")  # the scripts that settle do not ask for the release


def test_a_change_that_is_not_confirmed_is_reverted_by_its_timer(target: Target) -> None:
    order = target.staged(guard=GUARD)
    before = target.etc()
    target.activate(order)
    changed = target.etc()

    target.wait_for_guard()

    assert changed != before
    assert target.etc() == before
    assert (target.read(f"{LAST}/phase"), target.read(f"{LAST}/why")) == ("restored", "timer")
    assert not target.held()
    assert target.facts().cri.state == "ok"


def test_a_late_confirmation_finds_nothing_to_confirm(target: Target) -> None:
    order = target.staged(guard=GUARD)
    target.activate(order)
    target.wait_for_guard()

    change = settle(order, SettleMode.CONFIRM)

    assert (change.ending, change.state, change.reason) == ("not_pending", "restored", "timer")


def test_a_reboot_before_the_confirmation_restores_the_old_config(target: Target) -> None:
    order = target.staged()
    before = target.etc()
    target.activate(order)

    target.machine.reboot()

    assert target.etc() == before
    assert (target.read(f"{LAST}/phase"), target.read(f"{LAST}/why")) == ("restored", "boot")
    assert target.facts().cri.state == "ok"


def test_a_confirmed_change_survives_its_guard_and_a_reboot(target: Target) -> None:
    order = target.converged(guard=GUARD)
    after = target.etc()

    target.pass_time(GUARD + 2)
    target.machine.reboot()

    assert target.etc() == after
    assert settle(order, SettleMode.LOOK).state == "confirmed"
    assert not target.held()


def test_a_node_with_an_unconfirmed_change_takes_no_other_one(target: Target) -> None:
    order = target.staged()
    target.activate(order)
    target.machine.sh("rm /run/fleet/lock")  # as after a reboot at which the guard could not act

    other = target.order(order.plan, rollout="r2")
    outcome = stage(other)

    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.LOCKED
    assert target.read(f"{PENDING}/id") == "r1"

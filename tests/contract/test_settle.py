"""Settling: confirm a change, revert it byte for byte, recheck it, or read how it stands."""

from __future__ import annotations

import pytest

from fleet.core.failure import FailureKind
from fleet.core.model.outcome import NodeStatus
from fleet.node.recheck import recheck, settle_left
from fleet.node.revert import revert
from fleet.node.settle import SettleMode, settle, unlock
from tests.contract.target import CONFIG, LAST, Target, desired, ending

SUITES = ("bullseye", "forky")  # the scripts that settle do not ask for the release


def test_a_change_is_read_as_it_stands_from_staging_to_its_revert(target: Target) -> None:
    order = target.staged()
    states = [settle(order, SettleMode.LOOK).state]
    target.activate(order)
    states.append(settle(order, SettleMode.LOOK).state)
    confirmed = settle(order, SettleMode.CONFIRM)
    states.append(settle(order, SettleMode.LOOK).state)
    reverted = settle(order, SettleMode.REVERT)
    states.append(settle(order, SettleMode.LOOK).state)

    assert states == ["untouched", "swapped", "confirmed", "restored"]
    assert (confirmed.ending, reverted.ending) == ("confirmed", "rolled_back")
    assert target.read(f"{LAST}/why") == "asked"
    assert not target.held()


ODD_MODES = f"""
chmod 640 {CONFIG}
chgrp 1 {CONFIG} 2>/dev/null # an ordinary user's fake node has root's group alone
mkdir -p /etc/containerd/certs.d/docker.io /etc/containerd/certs.d/other.example
chmod 751 /etc/containerd/certs.d/docker.io
printf 'server = "https://registry-1.docker.io"\\n' >/etc/containerd/certs.d/docker.io/hosts.toml
printf '# \\377\\376\\r\\n' >/etc/containerd/certs.d/other.example/hosts.toml
chmod 604 /etc/containerd/certs.d/*/hosts.toml
true
"""


@pytest.mark.parametrize("confirmed", [True, False], ids=["confirmed", "unconfirmed"])
def test_a_revert_restores_bytes_modes_and_owners(target: Target, *, confirmed: bool) -> None:
    target.machine.sh(ODD_MODES)
    order = target.staged()
    before = target.etc()
    folders = "stat -c '%a %u %g %n' /etc/containerd /etc/containerd/certs.d /etc/containerd/*/*/"
    modes = target.machine.sh(folders).stdout
    target.activate(order)
    if confirmed:
        assert settle(order, SettleMode.CONFIRM).ending == "confirmed"
    changed = target.etc()

    outcome = revert(order)

    assert changed != before
    assert ending(outcome) == ("rolled_back", "budget", "revert")
    assert target.etc() == before
    assert target.machine.sh(folders).stdout == modes
    assert target.facts().cri.state == "ok"
    assert not target.held()


def test_an_edit_after_the_swap_is_not_confirmed(target: Target) -> None:
    order = target.staged()
    target.activate(order)
    target.machine.sh(f"echo '# by hand' >>{CONFIG}")

    change = settle(order, SettleMode.CONFIRM)

    assert change.failure is not None
    assert (change.ending, change.failure.kind) == ("failed", FailureKind.STALE)
    assert CONFIG in change.failure.message


def test_a_unit_that_dies_before_it_is_confirmed_is_reverted(target: Target) -> None:
    order = target.staged(health=1)
    before = target.etc()
    target.activate(order)
    target.machine.sh("systemctl stop containerd")

    change = settle(order, SettleMode.CONFIRM)
    outcome = revert(order)

    assert change.failure is not None
    assert (change.ending, change.failure.kind) == ("failed", FailureKind.HEALTH)
    assert outcome.status is NodeStatus.ROLLED_BACK
    assert target.etc() == before
    assert target.facts().daemon.unit.running


def test_a_healthy_node_passes_its_recheck(target: Target) -> None:
    order = target.converged()
    after = target.etc()

    outcome = recheck(order)

    assert ending(outcome) == ("converged", "", "")
    assert target.etc() == after


def test_a_node_that_is_ill_at_its_recheck_is_reverted(target: Target) -> None:
    before = target.etc()
    order = target.converged(health=1)
    target.machine.sh("systemctl stop containerd")

    outcome = recheck(order)

    assert ending(outcome) == ("rolled_back", "health", "pause")
    assert target.etc() == before


def test_an_edit_is_seen_by_the_recheck_and_stays(target: Target) -> None:
    order = target.converged()
    target.machine.sh(f"echo '# by hand' >>{CONFIG}")

    outcome = recheck(order)

    assert ending(outcome) == ("stale", "stale", "recheck")
    assert "# by hand" in target.read(CONFIG)


def test_a_change_under_a_newer_one_is_not_reverted(target: Target) -> None:
    first = target.converged()
    target.converged(target.plan(desired("https://other.example")), rollout="r2")
    after = target.etc()

    change = settle(first, SettleMode.REVERT)

    assert target.etc() == after
    assert change.ending != "rolled_back"


def test_unlocking_reverts_what_a_dead_run_left(target: Target) -> None:
    order = target.staged()
    before = target.etc()
    target.activate(order)

    unlock(order)

    assert target.etc() == before
    assert not target.held()


def test_what_a_dead_run_left_active_is_verified_and_confirmed(target: Target) -> None:
    order = target.staged()
    target.activate(order)

    outcome = settle_left(order)

    assert ending(outcome) == ("converged", "", "")
    assert not target.held()


def test_what_a_dead_run_only_staged_has_to_be_done_again(target: Target) -> None:
    order = target.staged()

    outcome = settle_left(order)

    assert outcome.status is NodeStatus.PENDING

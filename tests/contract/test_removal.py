"""Removal: the config from before fleet comes back, and nothing of fleet is left on a node."""

from __future__ import annotations

import pytest

from fleet.core.model.outcome import NodeStatus
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.removal import RemovalRequest, plan_removal
from fleet.node.converge import converge
from fleet.node.recheck import recheck, settle_left
from fleet.node.revert import revert
from fleet.node.stage import stage
from tests.contract.target import CONFIG, Target, desired, ending

SUITES = ("forky",)  # the other releases are those of the tests on four nodes
OTHER = desired("https://other.example")
STATE = "/var/lib/fleet"


def planned(target: Target, **request: bool) -> NodePlan:
    return plan_removal(target.node, target.facts(walk="all"), RemovalRequest(**request))


def everything(target: Target) -> dict[str, str]:
    """Describe the node's files below /etc, and fleet's own folders."""
    return target.machine.digests("/etc", STATE, f"{STATE}.removed", "/run/fleet")


def twice_changed(target: Target) -> None:
    """Roll out twice, so that two generations lie above the original config."""
    target.converged(rollout="20260101-000000-0001")
    target.converged(target.plan(OTHER), rollout="20260102-000000-0002")


def test_all_changes_are_undone_and_fleet_is_gone(target: Target) -> None:
    before = everything(target)
    twice_changed(target)

    order = target.converged(planned(target), rollout="r3", purpose="remove")

    assert everything(target) == before
    assert recheck(order).status is NodeStatus.CONVERGED
    again = planned(target)
    assert (again.failure, again.has_work) == (None, False)
    assert again.notes == ("nothing to remove: fleet has left nothing here",)
    assert everything(target) == before


def test_the_config_may_stay(target: Target) -> None:
    twice_changed(target)
    etc = target.etc()

    plan = planned(target, keep_config=True)
    target.converged(plan, rollout="r3", purpose="remove")

    assert plan.changes == ()
    assert everything(target) == etc


def test_a_removal_that_died_before_its_confirmation_is_finished(target: Target) -> None:
    before = everything(target)
    twice_changed(target)
    order = target.staged(planned(target), rollout="r3", purpose="remove")
    target.activate(order)

    outcome = settle_left(order)

    assert outcome.status is NodeStatus.CONVERGED, outcome.failure
    assert everything(target) == before


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_edit_is_given_up_only_on_request(target: Target, overwrite: bool) -> None:
    before = everything(target)
    target.converged()
    target.machine.sh(f"echo '# mine' >>{CONFIG}")

    plan = planned(target, overwrite=overwrite)

    if not overwrite:
        assert plan.failure is not None
        assert plan.failure.message == f"{CONFIG} was edited after fleet wrote the config"
        return
    assert f"the edit of {CONFIG} is lost" in plan.notes
    target.converged(plan, rollout="r3", purpose="remove")
    assert everything(target) == before


def test_a_change_made_since_the_plan_is_kept(target: Target) -> None:
    target.converged()
    plan = planned(target, keep_config=True)
    target.converged(target.plan(OTHER), rollout="r2")

    order = target.order(plan, rollout="r3", purpose="remove")
    assert stage(order).status is NodeStatus.STAGED
    outcome = converge(order)

    assert outcome.status is NodeStatus.STALE
    assert outcome.failure is not None
    assert "another change was made on this node after the plan" in outcome.failure.message
    assert target.facts(walk="latest").generations[0].id == "r2"


def test_a_state_behind_a_link_is_deleted_with_its_target(target: Target) -> None:
    target.machine.sh(f"mkdir -p /srv/fleet; ln -s /srv/fleet {STATE}")
    before = target.etc()
    twice_changed(target)

    target.converged(planned(target), rollout="r3", purpose="remove")

    assert target.etc() == before
    left = target.machine.sh(f"ls -d /srv/fleet {STATE} {STATE}.removed 2>/dev/null", check=False)
    assert left.stdout == ""
    assert planned(target).notes == ("nothing to remove: fleet has left nothing here",)


def test_a_state_that_is_a_mount_point_is_emptied(target: Target) -> None:
    target.machine.sh(
        f"mkdir -p {STATE}; mount -t tmpfs -o mode=755 tmpfs {STATE}; mkdir {STATE}/lost+found"
    )
    before = target.etc()
    twice_changed(target)

    target.converged(planned(target), rollout="r3", purpose="remove")
    again = planned(target)
    left = target.machine.sh(f"ls {STATE}").stdout
    target.machine.sh(f"umount {STATE}")

    assert target.etc() == before
    assert left == "lost+found\n"
    assert again.notes == ("nothing to remove: fleet has left nothing here",)
    assert not target.held()


def test_own_files_that_cannot_be_deleted_do_not_hide_the_restore(target: Target) -> None:
    before = target.etc()
    twice_changed(target)
    order = target.staged(planned(target), rollout="r3", purpose="remove")
    with target.acting("rm", f"*{STATE}.removed", "exit 1"):
        outcome = converge(order)

    assert ending(outcome) == ("rolled_back", "storage", "remove")
    assert (outcome.changed, outcome.held) == (True, False)
    assert target.etc() == before
    assert not target.held()
    target.converged(planned(target), rollout="r4", purpose="remove")
    assert planned(target).notes == ("nothing to remove: fleet has left nothing here",)


def test_what_a_killed_check_or_verification_left_is_removed(target: Target) -> None:
    """One check still runs: the first process lives as long as the node."""
    target.converged()
    folder = "/etc/containerd/certs.d"
    left, used = (f"{folder}/{number}.fleet-probe.invalid" for number in (4194305, 1))
    target.machine.sh(
        f"mkdir {left} {used}; echo x >{left}/hosts.toml; echo other-boot >{STATE}/proof-4194305"
    )

    plan = planned(target, keep_config=True)
    with target.acting("ctr", "*'-n fleet-probe-4194305 leases create'*", ":"):
        target.converged(plan, rollout="r3", purpose="remove")
    still = target.machine.sh(f"ls {folder}").stdout.split()
    target.machine.sh(f"rmdir {used}")

    assert {left, used} < set(plan.removes)
    assert "1.fleet-probe.invalid" in still
    assert "4194305.fleet-probe.invalid" not in still
    assert planned(target).notes == ("nothing to remove: fleet has left nothing here",)


def test_the_only_copy_of_an_edit_is_deleted_only_on_request(target: Target) -> None:
    """The first change is reverted over an edit, so nothing else of fleet's is left."""
    before = target.etc()
    order = target.staged()
    target.activate(order)
    target.machine.sh(f"echo '# mine' >>{CONFIG}")
    assert revert(order).status is NodeStatus.ROLLED_BACK
    assert target.etc() == before

    refused, plan = planned(target), planned(target, overwrite=True)
    target.converged(plan, rollout="r3", purpose="remove")

    copy = f"{STATE}/generations/r1-displaced/files/0"
    assert refused.failure is not None
    assert refused.failure.message.startswith(f"{copy} is the only copy of an edit of {CONFIG}")
    assert plan.notes[1:] == (
        "the original config is in place",
        f"{copy}, the only copy of an edit of {CONFIG}, is lost",
    )
    assert target.etc() == before
    assert planned(target).notes == ("nothing to remove: fleet has left nothing here",)


_REPEATED = f"""
set -e
cd {STATE}/generations
for number in $(seq 1 "$COUNT"); do
    new=$YEAR$(printf '%04d' "$((100 + number))")-000000-abcd
    cp -a "$ID" "$new"
    [ "$number" = 1 ] || printf '{{\\n  "generation": "%s"\\n}}\\n' "$before" >"$new/state.json"
    (cd "$new" && rm seal && sums=$(sha256sum manifest after $(ls state.json 2>/dev/null)) &&
        printf '%s\\n# %s\\n' "$sums" "$(printf '%s\\n' "$sums" | sha256sum | cut -d' ' -f1)" >seal)
    before=$new
done
rm -r "$ID"
sed -i "s/$ID/$before/" ../state.json
"""


def repeat(target: Target, year: int, count: int) -> None:
    """Replace the node's only generation by a chain of that many, made in that year."""
    name = "20260101-000000-0001"
    target.machine.sh(f"ID={name}\nYEAR={year}\nCOUNT={count}\n{_REPEATED}")


def test_a_long_chain_of_generations_leads_back_to_the_original(target: Target) -> None:
    """The chain has more generations, and more files, than fleet once read."""
    before = everything(target)
    target.converged(rollout="20260101-000000-0001")
    repeat(target, 2099, 620)

    plan = planned(target)
    target.converged(plan, rollout="r3", purpose="remove")

    assert plan.rollback is not None
    assert len(plan.rollback.undoes) == 620
    assert everything(target) == before


def test_pruned_generations_still_lead_back_to_the_original(target: Target) -> None:
    """The node gets 24 old generations; the next change prunes them."""
    before = everything(target)
    target.converged(rollout="20260101-000000-0001")
    repeat(target, 2020, 24)

    target.converged(target.plan(OTHER), rollout="20260102-000000-0002")
    kept = target.machine.sh(f"ls {STATE}/generations").stdout.split()
    target.converged(planned(target), rollout="r3", purpose="remove")

    assert len(kept) == 22
    assert [name for name in kept if name.endswith(".pruned")] == ["20200105-000000-abcd.pruned"]
    assert everything(target) == before

"""The node state of the release before: it is read, and its change is settled and rolled back."""

from __future__ import annotations

import base64

from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.rollback import plan_rollback
from fleet.core.plan.undo_request import UndoRequest
from fleet.node.change_status import ChangeStatus
from fleet.node.settle import SettleMode, settle, unlock
from fleet.node.work_order import WorkOrder
from tests.contract.target import CONFIG, Target
from tests.samples import FIRST, INTERRUPTED, RELEASE_BEFORE

SUITES = ("bullseye", "trixie")
STATE = "/var/lib/fleet"


def upgraded(target: Target) -> WorkOrder:
    """Give a node the files that the release before left; return the order for its last change."""
    tree = base64.b64encode((RELEASE_BEFORE / f"{target.suite}1.tar.gz").read_bytes()).decode()
    target.machine.sh(
        f"printf %s '{tree}' | base64 -d | tar -xz -C / --no-same-owner;"
        " systemctl daemon-reload; systemctl restart containerd"
    )
    return target.order(NodePlan(node=target.node), rollout=INTERRUPTED)


def saved(target: Target, generation: str, path: str) -> str:
    """Return the digest of a file as a generation has saved it."""
    for line in target.read(f"{STATE}/generations/{generation}/manifest").splitlines():
        kind, _, _, _, _, digest, saved_path = line.split("\t")
        if saved_path == path:
            return digest if kind == "file" else kind
    return ""


def digest_of(target: Target, path: str) -> str:
    return target.machine.digests(path.rpartition("/")[0]).get(path, " absent").split()[-1]


def test_what_the_release_before_left_is_read(target: Target) -> None:
    order = upgraded(target)

    facts = target.facts(walk=FIRST)

    assert facts.pending is not None
    assert (facts.pending.rollout, facts.pending.phase) == (INTERRUPTED, "swapped")
    assert [found.id for found in facts.generations][:: len(facts.generations) - 1] == [
        INTERRUPTED,
        FIRST,
    ]
    assert [found.damage for found in facts.generations if found.damage] == []
    assert facts.state.generation == INTERRUPTED
    assert CONFIG in facts.state.files
    assert settle(order, SettleMode.LOOK).state == "swapped"


def test_its_unconfirmed_change_is_reverted_by_its_own_guard(target: Target) -> None:
    order = upgraded(target)
    changed = (
        CONFIG if target.suite == "bullseye" else "/etc/containerd/certs.d/docker.io/hosts.toml"
    )
    before = saved(target, INTERRUPTED, changed)

    ended = unlock(order)

    assert isinstance(ended, ChangeStatus)
    assert ended.ending == "released", ended
    assert settle(order, SettleMode.LOOK).state == "restored"
    assert digest_of(target, changed) == before
    assert not target.held()


def test_its_first_change_is_rolled_back_after_that(target: Target) -> None:
    unlock(upgraded(target))
    original = saved(target, FIRST, CONFIG)

    plan = plan_rollback(target.node, target.facts(walk=FIRST), UndoRequest(to=FIRST))
    assert plan.failure is None, plan.failure
    target.converged(plan, rollout="r9")

    assert digest_of(target, CONFIG) == original
    assert target.machine.sh("test -e /etc/containerd/certs.d", check=False).returncode == 1


def test_a_failure_of_its_guard_is_read_without_a_remedy(target: Target) -> None:
    order = upgraded(target)
    target.machine.sh(f"echo odd >>{STATE}/generations/{INTERRUPTED}/manifest")

    change = settle(order, SettleMode.REVERT)

    assert change.failure is not None
    assert change.failure.kind == "no_generation"
    assert "set the registry config right by hand" in change.failure.message
    assert change.failure.remedy == ""

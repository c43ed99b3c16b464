"""The attributes of another tool's folder that one rollout removes and a later one makes again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.model.mirror import Foreign, Mirror, Registry
from fleet.core.model.outcome import NodeStatus
from fleet.core.plan.removal import RemovalRequest, plan_removal
from fleet.core.plan.rollback import plan_rollback
from fleet.core.plan.undo_request import UndoRequest
from fleet.node.revert import revert
from tests.contract.target import Target, desired

SUITES = ("forky",)  # the other releases are those of the tests on four nodes
OTHER = desired("https://other.example")
QUAY = "/etc/containerd/certs.d/quay.io"
_MIRROR = Mirror(url="https://quay.example")
_QUAY = Registry(name="quay.io", server="https://quay.io", mirrors=(_MIRROR,))
BOTH = replace(OTHER, registries=(*OTHER.registries, _QUAY))


def files(target: Target) -> dict[str, str]:
    """Describe the node's files below /etc, and fleet's own folders."""
    return target.machine.digests("/etc", "/var/lib/fleet", "/run/fleet")


_FOREIGN = f"""
mkdir -p {QUAY}
printf 'server = "https://quay.io"\\n' >{QUAY}/hosts.toml
chown 0:44 {QUAY} {QUAY}/hosts.toml
chmod 604 {QUAY}/hosts.toml
chmod 2750 {QUAY}
"""


@pytest.fixture
def made_again(target: Target) -> dict[str, str]:
    """Remove another tool's folder and make it again; return how it was."""
    target.machine.sh(_FOREIGN)
    before = files(target)
    overwriting = replace(OTHER, foreign=Foreign.OVERWRITE)
    target.converged(target.plan(overwriting), rollout="20260101-000000-0001")
    target.converged(target.plan(BOTH), rollout="20260102-000000-0002")
    assert owner(target) == "2750 0 44"
    target.machine.sh(f"chgrp 0 {QUAY}; chmod g-s {QUAY}; chmod 755 {QUAY}")  # as 0.1.0 made it
    return before


def owner(target: Target) -> str:
    return target.machine.sh(f"stat -c '%a %u %g' {QUAY}").stdout.strip()


def test_a_folder_that_was_made_again_gets_its_attributes_back(
    target: Target, made_again: dict[str, str]
) -> None:
    removal = plan_removal(target.node, target.facts(walk="all"), RemovalRequest())
    target.converged(removal, rollout="r3", purpose="remove")

    assert files(target) == made_again
    assert owner(target) == "2750 0 44"


def test_a_reverted_rollback_leaves_the_attributes_as_they_were(
    target: Target, made_again: dict[str, str]
) -> None:
    changed = target.etc()
    facts = target.facts(walk="20260101-000000-0001")
    plan = plan_rollback(target.node, facts, UndoRequest(to="20260101-000000-0001"))
    order = target.staged(plan, rollout="r3", purpose="rollback")
    target.activate(order)
    swapped = owner(target)

    outcome = revert(order)

    assert outcome.status is NodeStatus.ROLLED_BACK, outcome.failure
    assert (swapped, owner(target)) == ("2750 0 44", "755 0 0")
    assert target.etc() == changed
    assert made_again != changed

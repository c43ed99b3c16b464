"""Staging: the change is judged by the node's containerd, and nothing is in force yet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.model.outcome import NodeStatus
from fleet.core.plan.node_plan import NodePlan
from fleet.node.stage import release, stage
from tests.contract.target import CONFIG, LOCK, Target, ending


def with_config(plan: NodePlan, text: str) -> NodePlan:
    """Return the plan with another text for the node's config.toml."""
    changes = []
    for change in plan.changes:
        after = change.after
        if change.path == CONFIG and after is not None:
            after = replace(after, content=text.encode())
        changes.append(replace(change, after=after))
    assert CONFIG in {change.path for change in changes}
    return replace(plan, changes=tuple(changes))


def test_staging_locks_the_node_and_leaves_its_files(target: Target) -> None:
    order = target.order()
    before = target.etc()

    outcome = stage(order)

    assert ending(outcome) == ("staged", "", "")
    assert target.etc() == before
    assert target.read(LOCK).splitlines()[:3] == ["r1", "tester", "rollout"]


def test_a_released_node_is_as_before(target: Target) -> None:
    order = target.staged()

    outcome = release(order)

    assert (outcome.status, outcome.held) == (NodeStatus.PENDING, False)
    assert not target.held()
    assert target.machine.sh("ls -A /run/fleet").stdout == "mutex\n"


def test_another_rollout_finds_the_node_locked(target: Target) -> None:
    plan = target.plan()
    target.staged(plan)
    before = target.etc(), target.read(LOCK)

    outcome = stage(target.order(plan, rollout="r2"))

    assert ending(outcome) == ("failed", "locked", "lock")
    assert outcome.failure is not None
    assert "held by rollout r1 of tester" in outcome.failure.message
    assert (target.etc(), target.read(LOCK)) == before


CHANGED = {
    "config.toml": f"echo '# by hand' >>{CONFIG}",
    "its mode": f"chmod 600 {CONFIG}; echo >>{CONFIG}",
    "a link in its place": f"mv {CONFIG} /etc/other.toml; ln -s /etc/other.toml {CONFIG}",
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_an_edit_after_the_plan_makes_it_stale(target: Target, change: str) -> None:
    order = target.order()
    target.machine.sh(change)
    before = target.etc()

    outcome = stage(order)

    assert ending(outcome) == ("stale", "stale", "check")
    assert target.etc() == before
    assert not target.held()


REFUSED = {
    "broken TOML": "version = 2\n[plugins\n",
    "more than the registry": 'version = 2\noom_score = -7\n[grpc]\n  address = "/run/x.sock"\n',
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_a_config_that_its_containerd_refuses_is_not_staged(target: Target, text: str) -> None:
    order = target.order(with_config(target.plan(), text))
    before = target.etc()

    outcome = stage(order)

    assert ending(outcome) == ("failed", "validate", "validate")
    assert target.etc() == before
    assert not target.held()

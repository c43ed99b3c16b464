"""The health of a node, and changes that are refused because of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.change import RestartCost
from fleet.core.model.facts import CriFacts, NodeFacts, RancherFacts, UnitState
from fleet.core.model.finding import Finding, FindingEffect
from fleet.core.model.health import health_problem, refuse_unhealthy, upgrade_pending
from tests.support.build import facts_with, release

RUNNING = UnitState(active="active", sub="running")
HEALING = Finding("legacy", FindingEffect.HEALS, "/a", "b", stops_cri=True)


def node(unit: UnitState = RUNNING, cri: str = "ok", ready: bool | None = True) -> NodeFacts:
    facts = facts_with({})
    daemon = replace(facts.daemon, unit=unit)
    cri_facts = CriFacts(state=cri, detail="conflict", runtime_ready=ready)
    return replace(facts, daemon=daemon, cri=cri_facts)


def with_versions(running: str | None, installed: str | None) -> NodeFacts:
    facts = node()
    return replace(
        facts,
        daemon=replace(
            facts.daemon,
            running_version=release(running) if running else None,
            installed_version=release(installed) if installed else None,
        ),
    )


def refused(facts: NodeFacts, cost: RestartCost, *findings: Finding) -> bool:
    """Return whether a change of that cost is refused."""
    try:
        refuse_unhealthy(facts, cost, findings)
    except NodeError:
        return True
    return False


PROBLEMS = {
    "healthy": (node(), ""),
    "healthy, as far as is known": (node(ready=None), ""),
    "a failed unit": (
        node(UnitState(active="failed", sub="failed")),
        "containerd is failed/failed",
    ),
    "a unit that starts": (
        node(UnitState(active="activating", sub="auto-restart")),
        "containerd is activating/auto-restart",
    ),
    "a plugin that failed": (node(cri="error"), "its CRI plugin reports error"),
    "a runtime that is not ready": (node(ready=False), "its CRI runtime is not ready"),
}


@pytest.mark.parametrize(("facts", "problem"), PROBLEMS.values(), ids=list(PROBLEMS))
def test_why_a_node_is_not_healthy(facts: NodeFacts, problem: str) -> None:
    assert health_problem(facts) == problem


@pytest.mark.parametrize("cost", RestartCost)
def test_a_healthy_node_may_be_changed(cost: RestartCost) -> None:
    assert not refused(node(), cost)


@pytest.mark.parametrize("cost", RestartCost)
def test_an_unhealthy_node_is_not_changed(cost: RestartCost) -> None:
    with pytest.raises(NodeError) as raised:
        refuse_unhealthy(node(cri="error"), cost)

    assert raised.value.failure.kind is FailureKind.HEALTH
    assert "(its CRI plugin reports error)" in raised.value.failure.message
    assert raised.value.failure.evidence == "conflict"


FINDINGS = {
    "a conflict that the change resolves": (HEALING, True),
    "a conflict that CRI survives": (replace(HEALING, stops_cri=False), False),
    "a conflict that stays": (replace(HEALING, effect=FindingEffect.NOTES), False),
}


@pytest.mark.parametrize(("finding", "allowed"), FINDINGS.values(), ids=list(FINDINGS))
def test_a_node_that_the_change_heals_is_changed(finding: Finding, allowed: bool) -> None:
    assert refused(node(cri="error"), RestartCost.RESTART, finding) is not allowed


def test_a_change_does_not_heal_a_daemon_that_does_not_run() -> None:
    stopped = node(UnitState(active="inactive", sub="dead"))

    with pytest.raises(NodeError, match="is already down"):
        refuse_unhealthy(stopped, RestartCost.RESTART, (HEALING,))


VERSIONS = {
    "the same": ("1.7.24", "1.7.24", False),
    "another package of the same": ("1.7.24", "1.7.24-1", False),
    "a newer one": ("1.7.24", "2.0.0", True),
    "an older one": ("2.0.0", "1.7.24", True),
    "not known what runs": (None, "1.7.24", False),
    "not known what is installed": ("1.7.24", None, False),
}


@pytest.mark.parametrize(("running", "installed", "pending"), VERSIONS.values(), ids=list(VERSIONS))
def test_a_restart_that_would_be_an_upgrade(
    running: str | None, installed: str | None, pending: bool
) -> None:
    assert upgrade_pending(with_versions(running, installed)) is pending


def test_a_change_that_would_upgrade_containerd_is_refused() -> None:
    with pytest.raises(
        NodeError, match=r"containerd 1\.7\.24 is running, but 2\.0\.0 is installed"
    ) as raised:
        refuse_unhealthy(with_versions("1.7.24", "2.0.0"), RestartCost.RESTART)

    assert raised.value.failure.kind is FailureKind.CONFLICT


def test_a_change_without_a_restart_upgrades_nothing() -> None:
    facts = with_versions("1.7.24", "2.0.0")

    assert not refused(facts, RestartCost.NONE)


def test_a_restart_that_would_upgrade_k3s_is_refused() -> None:
    facts = node()
    rancher = RancherFacts(program="/usr/local/bin/k3s", replaced=True)
    facts = replace(facts, daemon=replace(facts.daemon, rancher=rancher, unit_name="k3s"))

    assert not refused(facts, RestartCost.NONE)
    with pytest.raises(NodeError, match="/usr/local/bin/k3s was replaced after k3s started"):
        refuse_unhealthy(facts, RestartCost.RESTART)

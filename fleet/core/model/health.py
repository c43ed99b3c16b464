"""The health of a node as the probe found it, and the changes that are refused because of it."""

from __future__ import annotations

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.change import RestartCost
from fleet.core.model.facts import NodeFacts
from fleet.core.model.finding import Finding, FindingEffect


def health_problem(facts: NodeFacts) -> str:
    """Return why a node is not healthy; empty if it is."""
    name, unit = facts.daemon.unit_name, facts.daemon.unit
    if not unit.running:
        return f"{name} is {unit.active}/{unit.sub}"
    if facts.cri.state != "ok":
        return f"its CRI plugin reports {facts.cri.state}"
    return "its CRI runtime is not ready" if facts.cri.runtime_ready is False else ""


def refuse_unhealthy(
    facts: NodeFacts, cost: RestartCost, findings: tuple[Finding, ...] = ()
) -> None:
    """Raise a NodeError if a node is unhealthy, so that a bad change could not be noticed.

    A node is still changed if it is unhealthy because of a conflict that the change resolves. A
    change with a restart is also refused if the restart would start another release.
    """
    name, unit = facts.daemon.unit_name, facts.daemon.unit
    healed = unit.running and any(
        finding.stops_cri and finding.effect is FindingEffect.HEALS for finding in findings
    )
    if health_problem(facts) and not healed:
        problem = health_problem(facts)
        message = (
            f"{name} is already unhealthy ({problem})"
            if unit.running
            else f"{name} is already down ({unit.active}/{unit.sub})"
        )
        remedy = f"fix it first, see `journalctl -u {name}` on the node"
        raise NodeError(FailureKind.HEALTH, Step.PLAN, message, remedy, facts.cri.detail)
    refuse_replaced(facts, cost)
    if cost is RestartCost.RESTART and upgrade_pending(facts):
        running, installed = facts.daemon.running_version, facts.daemon.installed_version
        message = (
            f"containerd {running} is running, but {installed} is installed: a restart would also"
            " upgrade it"
        )
        remedy = f"run `systemctl restart {name}` on the node first"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)


def refuse_replaced(facts: NodeFacts, cost: RestartCost) -> None:
    """Raise a NodeError if a restart would also upgrade the node's Kubernetes distribution."""
    if cost is RestartCost.RESTART and facts.daemon.rancher.replaced:
        program, name = facts.daemon.rancher.program, facts.daemon.unit_name
        message = f"{program} was replaced after {name} started: a restart would also upgrade it"
        remedy = f"run `systemctl restart {name}` on the node first"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)


def upgrade_pending(facts: NodeFacts) -> bool:
    """Return whether a restart would start another release than the running one."""
    running, installed = facts.daemon.running_version, facts.daemon.installed_version
    return bool(running and installed and running.release != installed.release)

"""The facts of a node as plain data, for --json."""

from __future__ import annotations

from typing import Any

from fleet.core.containerd.registry_table import effective_registry
from fleet.core.failure import NodeError
from fleet.core.history.serialize import failure_data, finding_data, role_data
from fleet.core.model.facts import NodeFacts
from fleet.core.model.pending import Pending
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.state import is_outdated, node_state
from fleet.core.render.base import parsed_dump
from fleet.core.text.documents import word


def facts_data(facts: NodeFacts, plan: NodePlan) -> dict[str, Any]:
    """Return the facts of a node, and its state compared with its plan."""
    return {
        "state": str(node_state(facts, plan)),
        "outdated": is_outdated(facts, plan),
        "unconfirmed": pending_data(facts.pending),
        "distribution": facts.machine.distribution,
        "containerd": str(facts.daemon.running_version) if facts.daemon.running_version else None,
        "installed": str(facts.daemon.installed_version)
        if facts.daemon.installed_version
        else None,
        "strategy": plan.strategy,
        "config": facts.config.path if facts.config.path in facts.files else None,
        "registry_config": registry_config(facts),
        "unit": f"{facts.daemon.unit.active}/{facts.daemon.unit.sub}",
        "cri": facts.cri.state,
        "runtime_ready": facts.cri.runtime_ready,
        "crictl": facts.cri.crictl,
        "generation": facts.state.generation,
        "owner": facts.daemon.owner,
        **role_data(plan),
        "notes": list(plan.notes),
        "conflicts": [finding_data(finding) for finding in plan.findings],
        "failure": failure_data(plan.failure),
    }


def registry_config(facts: NodeFacts) -> str | None:
    """Return the path where containerd looks for mirrors by its files; None if there is none.

    The path is from the daemon's own view: a directory, or the file that holds legacy mirrors.
    """
    try:
        registry = effective_registry(parsed_dump(facts))
    except NodeError:
        return None
    return word(registry, "config_path") or (facts.config.path if registry.get("mirrors") else None)


def pending_data(pending: Pending | None) -> dict[str, Any] | None:
    """Return an unconfirmed change as data; `reverts_in` is in seconds, null if no timer runs."""
    if pending is None:
        return None
    return {
        "rollout": pending.rollout,
        "since": pending.began,
        "reverts_in": pending.reverts_in,
        "guard_failure": pending.failed or None,
    }

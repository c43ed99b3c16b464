"""Plans and outcomes as plain data, for --json and the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from fleet.core.failure import Failure, FailureKind, reported_failure
from fleet.core.masking import Mark
from fleet.core.masking.shown_text import unified_diff
from fleet.core.model.etcd import Etcd
from fleet.core.model.finding import Finding
from fleet.core.model.outcome import (
    DrainResult,
    HostAttempt,
    Liveness,
    LivenessState,
    NodeOutcome,
    NodeStatus,
    PullClient,
    Served,
    Verified,
)
from fleet.core.plan.meaning import plan_meaning
from fleet.core.plan.node_plan import NodePlan


def failure_data(failure: Failure | None) -> dict[str, Any] | None:
    """Return a failure as data."""
    if failure is None:
        return None
    about = {
        "kind": str(failure.kind),
        "step": str(failure.step),
        "message": failure.message,
        "remedy": failure.remedy,
    }
    more = {"evidence": failure.evidence, "address": failure.address}
    return {**about, **{key: value for key, value in more.items() if value}}


def read_failure(data: Mapping[str, Any] | None) -> Failure | None:
    """Parse the data of `failure_data`; entries of earlier releases have no remedy."""
    if not data:
        return None
    failure = reported_failure(
        kind=FailureKind(data["kind"]),
        step=data["step"],
        message=data["message"],
        remedy=data.get("remedy", ""),
        evidence=data.get("evidence", ""),
    )
    return replace(failure, address=data.get("address", ""))


def verified_data(verified: Verified) -> dict[str, Any]:
    """Return the result of one verification pull as data."""
    return {
        "image": verified.image,
        "ok": verified.ok,
        "via": str(verified.via),
        "mirror": verified.mirror,
        "seconds": verified.seconds,
        "detail": verified.detail,
        "served": str(verified.served),
        "bytes": verified.size,
        "digest": verified.digest,
        "attempts": [
            {"host": attempt.host, "what": attempt.what, "response": attempt.response}
            for attempt in verified.attempts
        ],
        "evidence": verified.evidence,
    }


def _read_verified(data: Mapping[str, Any]) -> Verified:
    """Parse the result of one pull; journals of earlier releases have fewer keys."""
    return Verified(
        image=data["image"],
        ok=data["ok"],
        via=PullClient(data["via"]),
        mirror=data.get("mirror"),
        seconds=data.get("seconds", 0.0),
        detail=data.get("detail", ""),
        served=Served(data.get("served", Served.UNKNOWN)),
        size=data.get("bytes", 0),
        digest=data.get("digest"),
        attempts=tuple(
            HostAttempt(hop["host"], hop["what"], hop.get("response") or hop.get("said", ""))
            for hop in data.get("attempts") or data.get("hops", ())
        ),
        evidence=data.get("evidence", ""),
    )


def liveness_data(liveness: Liveness | None) -> dict[str, Any] | None:
    """Return the liveness of the daemon's folder as data; None if it was not checked."""
    if liveness is None:
        return None
    return {"state": str(liveness.state), "seconds": liveness.seconds, "output": liveness.output}


_FORMER_STATES = {"deaf": LivenessState.NOT_READING, "unasked": LivenessState.UNCHECKED}
"""The words of earlier releases in their journals."""


def _read_liveness(data: Mapping[str, Any] | None) -> Liveness | None:
    if not data:
        return None
    state = _FORMER_STATES.get(data["state"], data["state"])
    output = data["output"] if "output" in data else data["said"]
    return Liveness(LivenessState(state), data["seconds"], output)


def drain_data(drain: DrainResult | None) -> dict[str, Any] | None:
    """Return the cordon and drain of a node as data; None if there was none."""
    return None if drain is None else {**asdict(drain), "evicted": list(drain.evicted)}


def _read_drain(data: Mapping[str, Any] | None) -> DrainResult | None:
    if not data:
        return None
    return DrainResult(
        cordoned=data["cordoned"],
        drained=data["drained"],
        evicted=tuple(data["evicted"]),
        seconds=data["seconds"],
        kept_cordon=data["kept_cordon"],
        still_cordoned=data["still_cordoned"],
    )


def outcome_data(outcome: NodeOutcome) -> dict[str, Any]:
    """Return the outcome of one node as data."""
    return {
        "status": str(outcome.status.shown),
        "strategy": outcome.strategy,
        "containerd": outcome.containerd,
        "changed": outcome.changed,
        "restarted": outcome.restarted,
        "generation": outcome.generation,
        "verified": [verified_data(verified) for verified in outcome.verified],
        "liveness": liveness_data(outcome.liveness),
        "failure": failure_data(outcome.failure),
        "seconds": outcome.seconds,
        "unproven": list(outcome.unproven),
        "held": outcome.held,
        "drain": drain_data(outcome.drain),
        "unhealthy": outcome.unhealthy,
    }


def read_outcome(node: str, data: Mapping[str, Any]) -> NodeOutcome:
    """Parse the data of `outcome_data`; only the status is required."""
    return NodeOutcome(
        node=node,
        status=NodeStatus(data["status"]),
        strategy=data.get("strategy"),
        containerd=data.get("containerd"),
        changed=data.get("changed", False),
        restarted=data.get("restarted", False),
        generation=data.get("generation"),
        verified=tuple(_read_verified(pull) for pull in data.get("verified", ())),
        liveness=_read_liveness(data.get("liveness")),
        failure=read_failure(data.get("failure")),
        seconds=data.get("seconds", 0.0),
        unproven=tuple(data.get("unproven", ())),
        held=data.get("held", False),
        drain=_read_drain(data.get("drain")),
        unhealthy=data.get("unhealthy", ""),
    )


def plan_data(plan: NodePlan, mark: Mark) -> dict[str, Any]:
    """Return one node's plan as data, with its diffs."""
    return {
        "state": str(plan.state) if plan.state else None,
        "strategy": plan.strategy,
        "containerd": plan.containerd,
        "disruption": str(plan.restart.cost),
        **role_data(plan),
        "changes": [
            {"path": change.path, "action": str(change.action), "diff": unified_diff(change, mark)}
            for change in plan.changes
        ],
        "meaning": [asdict(effect) for effect in plan_meaning(plan.changes, mark)],
        "unproven": list(plan.pulls.unproven),
        "notes": list(plan.notes),
        "conflicts": [finding_data(finding) for finding in plan.findings],
        "failure": failure_data(plan.failure),
    }


def role_data(plan: NodePlan) -> dict[str, Any]:
    """Return the role of a node in its cluster with its evidence; a worker has none."""
    evidence = list(plan.availability.control_plane)
    return {
        "role": "control-plane" if evidence else None,
        "role_evidence": evidence,
        "etcd": etcd_data(plan.availability.etcd),
    }


def etcd_data(etcd: Etcd | None) -> dict[str, Any] | None:
    """Return the members of etcd as data, or why they are not known; None for a worker."""
    if etcd is None:
        return None
    members = {
        member.name: {"healthy": member.healthy, "voter": member.voter} for member in etcd.members
    }
    return {
        "members": members if etcd.listed else None,
        "healthy": etcd.healthy if etcd.listed else None,
        "quorum": etcd.quorum if etcd.listed else None,
        "unknown": None if etcd.listed else etcd.reason,
    }


def finding_data(finding: Finding) -> dict[str, Any]:
    """Return one finding as data."""
    return {
        "code": finding.code,
        "effect": str(finding.effect),
        "where": finding.where,
        "message": finding.message,
        "stops_cri": finding.stops_cri,
    }


def rollout_data(
    rollout: str,
    status: str,
    nodes: Mapping[str, Any],
    batches: tuple[tuple[str, ...], ...],
    gates: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return a whole rollout as data; its keys are part of the public interface."""
    return {
        "rollout": rollout,
        "status": status,
        "nodes": dict(nodes),
        "batches": [list(batch) for batch in batches],
        "gates": list(gates),
    }

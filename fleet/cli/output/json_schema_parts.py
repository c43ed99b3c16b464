"""Parts that the JSON Schemas of several documents share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.core.failure import FailureKind
from fleet.core.model.node_state import NodeState
from fleet.core.model.outcome import NodeStatus, Served
from fleet.core.plan.meaning import Aspect
from fleet.core.rollout.gates import GateTime

Schema = Mapping[str, Any]


TEXT = {"type": "string"}


TEXTS = {"type": "array", "items": TEXT}


WHOLE = {"type": "integer"}


SECONDS = {"type": "number", "minimum": 0}


FLAG = {"type": "boolean"}


STAMP = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T", "description": "UTC"}


def maybe(schema: Schema) -> Schema:
    """Return the schema that allows null as well."""
    return {"anyOf": [schema, {"type": "null"}]}


def listed(items: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


def by_name(schema: Schema) -> Schema:
    """Return the schema of an object with any keys."""
    return {"type": "object", "additionalProperties": schema}


def shape(properties: Mapping[str, Schema], *optional: str) -> Schema:
    """Return the schema of an object; all keys are required that are not optional."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required}


def one_of(*words: str) -> Schema:
    """Return the schema that allows only these words."""
    return {"enum": list(words)}


SHOWN = one_of(
    *(str(status) for status in NodeStatus if status.shown is status and not status.in_flight)
)


FAILURE = maybe(
    shape(
        {
            "kind": one_of(*map(str, FailureKind)),
            "step": TEXT,
            "message": {**TEXT, "description": "what happened, and where"},
            "remedy": {**TEXT, "description": "what to do; empty in older entries of the journal"},
            "evidence": {**TEXT, "description": "the last lines of the node's output"},
            "address": {**TEXT, "description": "the sshd that could not be used"},
        },
        "evidence",
        "address",
    )
)


VERIFIED = shape(
    {
        "image": TEXT,
        "ok": FLAG,
        "via": one_of("crictl", "cri", "ctr", "kubelet"),
        "mirror": maybe({**TEXT, "description": "the host that served; null if not known"}),
        "seconds": SECONDS,
        "detail": TEXT,
        "served": one_of(*map(str, Served)),
        "bytes": {"type": "integer", "description": "what travelled for the evidence"},
        "digest": maybe(TEXT),
        "attempts": listed(
            shape({"host": TEXT, "what": one_of("resolve", "manifest", "blob"), "response": TEXT})
        ),
        "evidence": {**TEXT, "description": "what decided, or why nothing does"},
    },
    "served",
    "bytes",
    "digest",
    "attempts",
    "evidence",
)


LIVENESS = maybe(
    shape({"state": one_of("live", "not_reading", "unchecked"), "seconds": SECONDS, "output": TEXT})
)


DRAIN_RESULT = maybe(
    shape(
        {
            "cordoned": {**FLAG, "description": "fleet cordoned it"},
            "drained": FLAG,
            "evicted": {**TEXTS, "description": "the evicted pods, as NAMESPACE/NAME"},
            "seconds": SECONDS,
            "kept_cordon": {**FLAG, "description": "the cordon of a person, which stays"},
            "still_cordoned": {**FLAG, "description": "fleet's own cordon could not be undone"},
        }
    )
)


OUTCOME = {
    "status": SHOWN,
    "strategy": maybe(TEXT),
    "containerd": maybe(TEXT),
    "changed": FLAG,
    "restarted": FLAG,
    "generation": maybe(TEXT),
    "verified": listed(VERIFIED),
    "liveness": LIVENESS,
    "failure": FAILURE,
    "seconds": SECONDS,
    "unproven": TEXTS,
    "held": FLAG,
    "drain": DRAIN_RESULT,
    "unhealthy": {**TEXT, "description": "why an unchanged node is unhealthy; empty if it is not"},
}


CONFLICTS = listed(
    shape({"code": TEXT, "effect": TEXT, "where": TEXT, "message": TEXT, "stops_cri": FLAG})
)


DISRUPTION = one_of("none", "restart")


CHANGES = listed(
    shape({"path": TEXT, "action": one_of("create", "update", "delete"), "diff": TEXT})
)


ETCD = shape(
    {
        "members": maybe(by_name(shape({"healthy": FLAG, "voter": FLAG}))),
        "healthy": {**maybe(WHOLE), "description": "the healthy members that vote"},
        "quorum": {**maybe(WHOLE), "description": "the number of voters that must be healthy"},
        "unknown": {**maybe(TEXT), "description": "why the members are not known"},
    }
)


ROLE = {
    "role": maybe(one_of("control-plane")),
    "role_evidence": TEXTS,
    "etcd": {**maybe(ETCD), "description": "null: the node is not of a control plane"},
}


STATE = one_of(*map(str, NodeState))


_MAYBE_TEXT = maybe(TEXT)


EFFECT = shape(
    {
        "subject": {**TEXT, "description": "a registry, a host, or the path of a file"},
        "aspect": one_of(*map(str, Aspect)),
        "item": {**TEXT, "description": "the mirror, the setting or the file that changes"},
        "before": {**_MAYBE_TEXT, "description": "null: nothing was there"},
        "after": {**_MAYBE_TEXT, "description": "null: nothing is left; of a mirror its position"},
    }
)


PLAN = {
    "state": maybe(STATE),
    "strategy": maybe(TEXT),
    "containerd": maybe(TEXT),
    "disruption": DISRUPTION,
    **ROLE,
    "changes": CHANGES,
    "meaning": listed(EFFECT),
    "unproven": TEXTS,
    "notes": TEXTS,
    "conflicts": CONFLICTS,
    "failure": FAILURE,
}


UNREAD = shape({"state": STATE, "failure": FAILURE})


PROBLEM = shape(
    {
        "file": TEXT,
        "line": WHOLE,
        "column": WHOLE,
        "severity": one_of("error", "warning"),
        "message": TEXT,
        "excerpt": maybe(shape({"text": TEXT, "column": WHOLE, "length": WHOLE})),
    }
)


GATES = {
    **listed(
        shape(
            {
                "batch": WHOLE,
                "when": one_of(*map(str, GateTime)),
                "notes": TEXTS,
                "held": {**by_name(FAILURE), "description": "nodes that were left as they were"},
                "excused": {**TEXTS, "description": "held nodes that cost nothing of the budget"},
                "flagged": {
                    **by_name(FAILURE),
                    "description": "converged nodes with which something is wrong since",
                },
                "unavailable": {
                    **by_name(TEXT),
                    "description": "nodes of the fleet that were not Ready, and why",
                },
                "halt": maybe(FAILURE),
                "waited": SECONDS,
            }
        )
    ),
    "description": "what the gates of the cluster decided; empty without a cluster",
}

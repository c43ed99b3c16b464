"""JSON Schemas of the output of `--json`, one for each command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.cli.output.json_schema_history import NODE_HISTORY
from fleet.cli.output.json_schema_mirrors import MIRRORS
from fleet.cli.output.json_schema_nodes import DRIFT, PROBED
from fleet.cli.output.json_schema_parts import (
    CHANGES,
    DISRUPTION,
    EFFECT,
    FAILURE,
    FLAG,
    GATES,
    OUTCOME,
    PLAN,
    PROBLEM,
    SECONDS,
    SHOWN,
    STAMP,
    TEXT,
    TEXTS,
    UNREAD,
    WHOLE,
    Schema,
    by_name,
    listed,
    maybe,
    one_of,
    shape,
)
from fleet.core.rollout.ending import RolloutEnding

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


_SAMPLE = shape(
    {
        "nodes": {"type": "integer"},
        "of": {"type": "integer"},
        "confidence": {"type": "number"},
        "at_most_unhealthy": {
            "type": "integer",
            "description": "of all nodes, if those of the sample are all well",
        },
    }
)


_VALUE = {
    "type": ["string", "integer", "boolean", "object"],
    "description": "`kubernetes` is an object of `kubeconfig` and `context`",
}


_SOURCED = {"value": _VALUE, "from": maybe(TEXT)}


_ROLLOUT = shape(
    {
        "rollout": {**TEXT, "description": "its id; empty where there was nothing to do"},
        "status": one_of("finished", "halted", "interrupted"),
        "nodes": by_name(shape(OUTCOME)),
        "batches": listed(TEXTS),
        "gates": GATES,
        "next": {**TEXTS, "description": "commands that go on, ready to be pasted"},
        "reason": {**TEXT, "description": "why there was nothing to resume or undo"},
    },
    "reason",
)


_STATUS = one_of("finished", "halted", "interrupted", "running")


_ENDING = {
    **one_of(*map(str, RolloutEnding), "running"),
    "description": "the status; failed where it is finished or halted, and all that is wrong is"
    " that nodes failed",
}


_DRY = shape({"nodes": by_name(shape(PLAN))})


_ABOUT = {
    "rollout": TEXT,
    "kind": one_of("rollout", "rollback", "undo", "remove"),
    "started": STAMP,
    "ended": maybe(STAMP),
    "status": _STATUS,
    "ending": _ENDING,
    "reason": TEXT,
    "operator": {**TEXT, "description": "who, and from which machine"},
    "message": {**TEXT, "description": "why, as --message gave it"},
    "undoes": maybe({**TEXT, "description": "the rollout that an undo reverts"}),
    "files": by_name(maybe({**TEXT, "description": "SHA-256 of the file"})),
}


_PASSED = shape({**OUTCOME, "at": maybe(STAMP)}, *(set(OUTCOME) - {"status"}))


_PAST = shape({**_ABOUT, "batches": listed(TEXTS), "nodes": by_name(_PASSED), "gates": GATES})


_STEP = shape({"step": TEXT, "began": SECONDS, "ended": maybe(SECONDS), "status": maybe(TEXT)})


_REPORT = shape(
    {
        **_ABOUT,
        "seconds": maybe(SECONDS),
        "flags": {"type": "object"},
        "given_flags": {"type": "object"},
        "counts": by_name(WHOLE),
        "batches": listed(
            shape({"number": WHOLE, "nodes": TEXTS, "began": maybe(SECONDS)}),
        ),
        "nodes": by_name(shape({**OUTCOME, "steps": listed(_STEP)}, *(set(OUTCOME) - {"status"}))),
        "gates": GATES,
        "matrix": listed(
            shape({"strategy": TEXT, "containerd": TEXT, "status": SHOWN, "nodes": WHOLE})
        ),
        "mirrors": listed(
            shape(
                {
                    "image": TEXT,
                    "mirror": TEXT,
                    "via": TEXT,
                    "pulls": WHOLE,
                    "failed": WHOLE,
                    "median": SECONDS,
                    "slowest": SECONDS,
                }
            )
        ),
        "plans": listed(
            shape(
                {
                    "nodes": TEXTS,
                    "node_ranges": TEXT,
                    "strategy": maybe(TEXT),
                    "disruption": DISRUPTION,
                    "role_evidence": TEXTS,
                    "changes": CHANGES,
                    "meaning": listed(EFFECT),
                    "unproven": TEXTS,
                    "notes": TEXTS,
                },
                "meaning",
                "role_evidence",
                "unproven",
            )
        ),
    },
    "given_flags",
)


_EXPLAINED = shape(
    {
        "node": TEXT,
        "registry": TEXT,
        "version": TEXT,
        "way": one_of("certs.d", "legacy", "nothing"),
        "decides": TEXT,
        "folders": listed(
            shape({"path": TEXT, "state": one_of("used", "shadowed", "absent")}),
        ),
        "hosts": listed(
            shape(
                {
                    "url": TEXT,
                    "capabilities": TEXTS,
                    "where": TEXT,
                    "note": TEXT,
                    "asks": {**TEXT, "description": "the beginning of every request"},
                }
            )
        ),
        "failures": listed(TEXTS),
        "findings": TEXTS,
    }
)


_KEY = shape(
    {
        "name": TEXT,
        "kind": TEXT,
        "fingerprint": TEXT,
        "state": one_of("known", "unknown", "changed", "revoked", "certified"),
        "line": TEXT,
        "file": TEXT,
        "before": TEXT,
        "added": FLAG,
        "failure": FAILURE,
    }
)


_HELD = shape(
    {
        **dict.fromkeys(("rollout", "by", "purpose", "since", "description"), maybe(TEXT)),
        "failure": FAILURE,
    }
)


_RAN = shape(
    {
        "code": maybe(WHOLE),
        "output": maybe(TEXT),
        "seconds": maybe(SECONDS),
        "failure": FAILURE,
    }
)


_INVENTORY = shape(
    {
        "groups": TEXTS,
        "values": by_name(shape({**_SOURCED, "overrides": listed(shape(_SOURCED))})),
    }
)


ERROR = shape(
    {"error": shape({"code": WHOLE, "message": TEXT, "problems": listed(PROBLEM)})},
)
"""The schema of the output of a command that ends with an error."""


OUTPUTS: Mapping[str, Schema] = {
    "init": shape({"files": by_name({**FLAG, "description": "whether it was written"})}),
    "check": shape(
        {"ok": FLAG, "nodes": WHOLE, "registries": WHOLE, "problems": listed(PROBLEM)},
        "nodes",
        "registries",
    ),
    "schema": {"type": "object", "description": "a JSON Schema"},
    "inventory": shape({"nodes": by_name(_INVENTORY), "left_out": by_name(TEXT)}),
    "probe": shape({"nodes": by_name({"anyOf": [PROBED, UNREAD]})}),
    "render": shape({**PLAN, "files": TEXTS}),
    "diff": _DRY,
    "rollout": {"anyOf": [_ROLLOUT, _DRY]},
    "resume": _ROLLOUT,
    "verify": shape({"nodes": by_name(shape(OUTCOME)), "sample": _SAMPLE}, "sample"),
    "remove": {"anyOf": [_ROLLOUT, _DRY]},
    "undo": {"anyOf": [_ROLLOUT, _DRY]},
    "rollback": {"anyOf": [_ROLLOUT, _DRY]},
    "drift": shape({"nodes": by_name(DRIFT)}),
    "explain": {"anyOf": [_EXPLAINED, shape({"node": TEXT, "failure": FAILURE})]},
    "mirrors": MIRRORS,
    "hostkeys": shape({"nodes": by_name({"anyOf": [_KEY, UNREAD]})}),
    "run": shape({"command": TEXT, "nodes": by_name(_RAN)}),
    "locks": shape({"nodes": by_name(_HELD)}),
    "unlock": shape(
        {
            "rollout": TEXT,
            "nodes": by_name(
                shape(
                    {"ended": TEXT, "undone": FLAG, "uncordoned": FLAG, "cordon_failure": FAILURE}
                )
            ),
            "next": TEXTS,
        }
    ),
    "report": _REPORT,
    "completion": shape({"shell": one_of("bash", "zsh", "fish"), "script": TEXT}),
    "man": shape({"pages": by_name(TEXT)}),
    "history": {"anyOf": [shape({"rollouts": listed(_PAST)}), _PAST, NODE_HISTORY]},
}
"""The schema of each command's output, by its name; a new command adds its own here."""


def output_schema(command: str) -> dict[str, Any]:
    """Return the schema of the output of `fleet COMMAND --json`, errors included."""
    return {
        "$schema": _DRAFT,
        "title": f"what `fleet {command} --json` prints",
        "anyOf": [OUTPUTS[command], ERROR],
    }

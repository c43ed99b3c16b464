"""JSON Schemas of what `--json` prints, one a command: the registry of them all.

Keys may be added to a document later, so the schemas are open; a test closes them, and holds the
real answers of every command against them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.core.mirror_trial import Diagnosis, Trouble
from fleet.core.outcome import FailureKind, NodeStatus, Served

Schema = Mapping[str, Any]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_WHOLE = {"type": "integer"}
_SECONDS = {"type": "number", "minimum": 0}
_FLAG = {"type": "boolean"}
_STAMP = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T", "description": "UTC"}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _by_name(schema: Schema) -> Schema:
    return {"type": "object", "additionalProperties": schema}


def _object(properties: Mapping[str, Schema], *optional: str) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required}


def _enum(*words: str) -> Schema:
    return {"enum": list(words)}


_SHOWN = _enum(*(str(each) for each in NodeStatus if each.shown is each and not each.in_flight))
_FAILURE = _maybe(
    _object(
        {
            "kind": _enum(*map(str, FailureKind)),
            "step": _TEXT,
            "message": {**_TEXT, "description": "what, where and what to do"},
            "evidence": {**_TEXT, "description": "the last lines that the node said"},
        },
        "evidence",
    )
)
_VERIFIED = _object(
    {
        "image": _TEXT,
        "ok": _FLAG,
        "via": _enum("crictl", "cri", "ctr"),
        "mirror": _maybe({**_TEXT, "description": "the host that served; null if not known"}),
        "seconds": _SECONDS,
        "detail": _TEXT,
        "served": _enum(*map(str, Served)),
        "bytes": {"type": "integer", "description": "what travelled for the evidence"},
        "digest": _maybe(_TEXT),
        "hops": _list(
            _object({"host": _TEXT, "what": _enum("resolve", "manifest", "blob"), "said": _TEXT})
        ),
        "evidence": {**_TEXT, "description": "what decided, or why nothing does"},
    },
    "served",
    "bytes",
    "digest",
    "hops",
    "evidence",
)
_LIVENESS = _maybe(
    _object({"state": _enum("live", "deaf", "unasked"), "seconds": _SECONDS, "said": _TEXT})
)
_OUTCOME = {
    "status": _SHOWN,
    "strategy": _maybe(_TEXT),
    "containerd": _maybe(_TEXT),
    "changed": _FLAG,
    "restarted": _FLAG,
    "generation": _maybe(_TEXT),
    "verified": _list(_VERIFIED),
    "liveness": _LIVENESS,
    "failure": _FAILURE,
    "seconds": _SECONDS,
}
_SAMPLE = _object(
    {
        "nodes": {"type": "integer"},
        "of": {"type": "integer"},
        "confidence": {"type": "number"},
        "at_most_ill": {
            "type": "integer",
            "description": "of all nodes, if those of the sample are all well",
        },
    }
)
_CONFLICTS = _list(
    _object({"code": _TEXT, "verdict": _TEXT, "where": _TEXT, "message": _TEXT, "kills_cri": _FLAG})
)
_DISRUPTION = _enum("none", "restart")
_CHANGES = _list(
    _object({"path": _TEXT, "action": _enum("create", "update", "delete"), "diff": _TEXT})
)
_PLAN = {
    "strategy": _maybe(_TEXT),
    "containerd": _maybe(_TEXT),
    "disruption": _DISRUPTION,
    "changes": _CHANGES,
    "notes": _TEXTS,
    "conflicts": _CONFLICTS,
    "failure": _FAILURE,
}
_PROBED = _object(
    {
        "state": _enum("in sync", "drifted", "unmanaged", "in conflict", "unreachable"),
        "distribution": _TEXT,
        "containerd": _maybe(_TEXT),
        "installed": _maybe(_TEXT),
        "strategy": _maybe(_TEXT),
        "config": _maybe(_TEXT),
        "registry_config": _maybe(_TEXT),
        "unit": _TEXT,
        "cri": _TEXT,
        "runtime_ready": _maybe(_FLAG),
        "crictl": _maybe(_TEXT),
        "generation": _maybe(_TEXT),
        "owner": _maybe(_TEXT),
        "notes": _TEXTS,
        "conflicts": _CONFLICTS,
        "failure": _FAILURE,
    }
)
_UNREACHABLE = _object({"state": _enum("unreachable"), "failure": _FAILURE})
_PROBLEM = _object(
    {
        "file": _TEXT,
        "line": _WHOLE,
        "column": _WHOLE,
        "severity": _enum("error", "warning"),
        "message": _TEXT,
        "excerpt": _maybe(_object({"text": _TEXT, "column": _WHOLE, "length": _WHOLE})),
    }
)
_SOURCED = {"value": {"type": ["string", "integer", "boolean"]}, "from": _maybe(_TEXT)}
_ROLLOUT = _object(
    {
        "rollout": {**_TEXT, "description": "its id; empty where there was nothing to do"},
        "status": _enum("finished", "halted", "interrupted"),
        "nodes": _by_name(_object(_OUTCOME)),
        "batches": _list(_TEXTS),
    }
)
_STATUS = _enum("finished", "halted", "interrupted", "running")
_DRY = _object({"nodes": _by_name(_object(_PLAN))})
_ABOUT = {
    "rollout": _TEXT,
    "kind": _enum("rollout", "rollback"),
    "started": _STAMP,
    "ended": _maybe(_STAMP),
    "status": _STATUS,
    "reason": _TEXT,
    "operator": {**_TEXT, "description": "who, and from which machine"},
    "files": _by_name(_maybe({**_TEXT, "description": "SHA-256 of the file"})),
}
_PASSED = _object({**_OUTCOME, "at": _maybe(_STAMP)}, *(set(_OUTCOME) - {"status"}))
_PAST = _object({**_ABOUT, "batches": _list(_TEXTS), "nodes": _by_name(_PASSED)})
_STEP = _object(
    {"step": _TEXT, "began": _SECONDS, "ended": _maybe(_SECONDS), "status": _maybe(_TEXT)}
)
_REPORT = _object(
    {
        **_ABOUT,
        "seconds": _maybe(_SECONDS),
        "flags": {"type": "object"},
        "counts": _by_name(_WHOLE),
        "batches": _list(
            _object({"number": _WHOLE, "nodes": _TEXTS, "began": _maybe(_SECONDS)}),
        ),
        "nodes": _by_name(
            _object({**_OUTCOME, "steps": _list(_STEP)}, *(set(_OUTCOME) - {"status"}))
        ),
        "matrix": _list(
            _object({"strategy": _TEXT, "containerd": _TEXT, "status": _SHOWN, "nodes": _WHOLE})
        ),
        "mirrors": _list(
            _object(
                {
                    "image": _TEXT,
                    "mirror": _TEXT,
                    "via": _TEXT,
                    "pulls": _WHOLE,
                    "failed": _WHOLE,
                    "median": _SECONDS,
                    "slowest": _SECONDS,
                }
            )
        ),
        "plans": _list(
            _object(
                {
                    "nodes": _TEXTS,
                    "folded": _TEXT,
                    "strategy": _maybe(_TEXT),
                    "disruption": _DISRUPTION,
                    "changes": _CHANGES,
                    "notes": _TEXTS,
                }
            )
        ),
    }
)
_DRIFT = _object(
    {
        "state": _enum("as fleet left it", "drifted", "unmanaged", "unreachable"),
        "generation": _maybe(_TEXT),
        "files": _list(
            _object(
                {
                    "path": _TEXT,
                    "drift": _enum("changed", "missing", "extra"),
                    "hand": _TEXT,
                    "changed_at": _maybe(_TEXT),
                    "rollout": _TEXT,
                    "diff": _TEXT,
                }
            )
        ),
        "failure": _FAILURE,
    }
)
_EXPLAINED = _object(
    {
        "node": _TEXT,
        "registry": _TEXT,
        "version": _TEXT,
        "way": _enum("certs.d", "legacy", "nothing"),
        "decides": _TEXT,
        "folders": _list(
            _object({"path": _TEXT, "state": _enum("used", "shadowed", "absent")}),
        ),
        "hosts": _list(
            _object(
                {
                    "url": _TEXT,
                    "capabilities": _TEXTS,
                    "where": _TEXT,
                    "note": _TEXT,
                    "asks": {**_TEXT, "description": "the beginning of every request"},
                }
            )
        ),
        "failures": _list(_TEXTS),
        "findings": _TEXTS,
    }
)
_KEY = _object(
    {
        "name": _TEXT,
        "kind": _TEXT,
        "fingerprint": _TEXT,
        "state": _enum("known", "unknown", "changed", "revoked", "certified"),
        "line": _TEXT,
        "file": _TEXT,
        "before": _TEXT,
        "added": _FLAG,
        "failure": _FAILURE,
    }
)
_HELD = _object(
    {
        **dict.fromkeys(("rollout", "by", "purpose", "since", "told"), _maybe(_TEXT)),
        "failure": _FAILURE,
    }
)
_RAN = _object(
    {
        "code": _maybe(_WHOLE),
        "output": _maybe(_TEXT),
        "seconds": _maybe(_SECONDS),
        "failure": _FAILURE,
    }
)
_INVENTORY = _object(
    {
        "groups": _TEXTS,
        "values": _by_name(_object({**_SOURCED, "beats": _list(_object(_SOURCED))})),
    }
)

_DIAGNOSIS = _enum(*map(str, Diagnosis))
_RATE = {"bytes_per_second": _maybe(_WHOLE)}
_TRIAL = _object(
    {
        "registry": _TEXT,
        "url": _TEXT,
        "image": _maybe(_TEXT),
        "diagnosis": _DIAGNOSIS,
        "message": {**_TEXT, "description": "what is wrong, and what to do; empty for ok"},
        "address": _maybe(_TEXT),
        "digest": _maybe(_TEXT),
        "first_byte": _maybe(_SECONDS),
        "layer_bytes": _maybe(_WHOLE),
        **_RATE,
        "proxy": {**_maybe(_TEXT), "description": "the one that containerd takes instead"},
        "steps": _list(
            _object(
                {
                    "step": _enum("dns", "tcp", "tls", "ping", "token", "manifest", "layer"),
                    "ok": _FLAG,
                    "seconds": _SECONDS,
                    "status": _maybe(_WHOLE),
                    "trouble": _maybe(_enum(*map(str, Trouble))),
                    "words": _TEXT,
                    "host": _maybe(_TEXT),
                }
            )
        ),
    }
)
_CELL = _object(
    {"diagnosis": _DIAGNOSIS, "agree": _WHOLE, "nodes": _WHOLE, "first_byte": _maybe(_SECONDS)}
)
_RANK = _object(
    {
        "url": _TEXT,
        "served": _WHOLE,
        "asked": _WHOLE,
        "stale": _FLAG,
        "ends_pulls": _FLAG,
        "seconds": _maybe(_SECONDS),
        "first_byte": _maybe(_SECONDS),
        **_RATE,
    }
)
_MIRRORS = _object(
    {
        "nodes": _by_name(
            _object(
                {
                    "site": _maybe(_TEXT),
                    "clock_behind": {"type": "number", "description": "seconds"},
                    "endpoints": _list(_TRIAL),
                    "failure": _FAILURE,
                }
            )
        ),
        "matrix": {**_by_name(_by_name(_by_name(_CELL))), "description": "registry, URL, site"},
        "ranking": _list(
            _object(
                {
                    "registry": _TEXT,
                    "written": _TEXTS,
                    "proposed": _TEXTS,
                    "moves": _FLAG,
                    "reason": _TEXT,
                    "endpoints": _list(_RANK),
                }
            )
        ),
        "written": _list(
            _object(
                {
                    "place": _TEXT,
                    "order": _list(_object({"url": _TEXT, "was": _WHOLE})),
                    "written": _FLAG,
                    "reason": _TEXT,
                }
            )
        ),
    }
)

ERROR = _object(
    {"error": _object({"code": _WHOLE, "message": _TEXT, "problems": _list(_PROBLEM)})},
)
"""What every command prints that ends before it has an answer."""

OUTPUTS: Mapping[str, Schema] = {
    "init": _object({"files": _by_name({**_FLAG, "description": "whether it was written"})}),
    "check": _object(
        {"ok": _FLAG, "nodes": _WHOLE, "registries": _WHOLE, "problems": _list(_PROBLEM)},
        "nodes",
        "registries",
    ),
    "schema": {"type": "object", "description": "a JSON Schema"},
    "inventory": _object({"nodes": _by_name(_INVENTORY)}),
    "probe": _object({"nodes": _by_name({"anyOf": [_PROBED, _UNREACHABLE]})}),
    "render": _object({**_PLAN, "files": _TEXTS}),
    "diff": _DRY,
    "rollout": {"anyOf": [_ROLLOUT, _DRY]},
    "resume": _ROLLOUT,
    "verify": _object({"nodes": _by_name(_object(_OUTCOME)), "sample": _SAMPLE}, "sample"),
    "rollback": {"anyOf": [_ROLLOUT, _DRY]},
    "drift": _object({"nodes": _by_name(_DRIFT)}),
    "explain": {"anyOf": [_EXPLAINED, _object({"node": _TEXT, "failure": _FAILURE})]},
    "mirrors": _MIRRORS,
    "hostkeys": _object({"nodes": _by_name({"anyOf": [_KEY, _UNREACHABLE]})}),
    "run": _object({"command": _TEXT, "nodes": _by_name(_RAN)}),
    "lock": _object({"nodes": _by_name(_HELD)}),
    "unlock": _object({"rollout": _TEXT, "nodes": _by_name(_object({"ended": _TEXT}))}),
    "report": _REPORT,
    "man": _object({"pages": _by_name(_TEXT)}),
    "history": {"anyOf": [_object({"rollouts": _list(_PAST)}), _PAST]},
}
"""A command's name and what it prints; a new command adds its own here."""


def output_schema(command: str) -> dict[str, Any]:
    """Return the schema of what `fleet COMMAND --json` prints, mistakes included."""
    return {
        "$schema": _DRAFT,
        "title": f"what `fleet {command} --json` prints",
        "anyOf": [OUTPUTS[command], ERROR],
    }

"""JSON Schemas of what probe and drift print about one node."""

from __future__ import annotations

from fleet.cli.output.json_schema_parts import (
    CONFLICTS,
    FAILURE,
    FLAG,
    ROLE,
    STAMP,
    STATE,
    TEXT,
    TEXTS,
    WHOLE,
    listed,
    maybe,
    one_of,
    shape,
)

UNCONFIRMED = shape(
    {
        "rollout": TEXT,
        "since": maybe({**STAMP, "description": "by the node's clock, UTC"}),
        "reverts_in": maybe({**WHOLE, "description": "seconds; null if no timer runs"}),
        "guard_failure": maybe({**TEXT, "description": "why the guard could not revert it"}),
    }
)


PROBED = shape(
    {
        "state": STATE,
        "outdated": {**FLAG, "description": "a rollout would do more than undo drift"},
        "unconfirmed": maybe(UNCONFIRMED),
        "distribution": TEXT,
        "containerd": maybe(TEXT),
        "installed": maybe(TEXT),
        "strategy": maybe(TEXT),
        "config": maybe(TEXT),
        "registry_config": maybe(TEXT),
        "unit": TEXT,
        "cri": TEXT,
        "runtime_ready": maybe(FLAG),
        "crictl": maybe(TEXT),
        "generation": maybe(TEXT),
        "owner": maybe(TEXT),
        **ROLE,
        "notes": TEXTS,
        "conflicts": CONFLICTS,
        "failure": FAILURE,
    }
)


DRIFT = shape(
    {
        "state": STATE,
        "generation": maybe(TEXT),
        "files": listed(
            shape(
                {
                    "path": TEXT,
                    "drift": one_of("changed", "missing", "extra"),
                    "author": TEXT,
                    "changed_at": maybe(TEXT),
                    "rollout": TEXT,
                    "diff": TEXT,
                }
            )
        ),
        "failure": FAILURE,
    }
)

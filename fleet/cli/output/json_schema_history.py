"""The JSON Schema of the output of `fleet history --from-nodes --json`."""

from __future__ import annotations

from fleet.cli.output.json_schema_parts import (
    FAILURE,
    TEXT,
    TEXTS,
    WHOLE,
    by_name,
    listed,
    maybe,
    one_of,
    shape,
)
from fleet.core.history.node_history import STATUSES

_AT = {**TEXT, "description": "UTC, by the clock of the node"}


_ENTRY = shape({"at": _AT, "step": TEXT, "result": TEXT, "operator": TEXT, "message": TEXT})


_NODE = shape({"status": one_of(*STATUSES), "at": _AT, "entries": listed(_ENTRY)})


NODE_HISTORY = shape(
    {
        "rollouts": listed(
            shape(
                {
                    "rollout": TEXT,
                    "kind": maybe({**TEXT, "description": "null in logs of earlier releases"}),
                    "operators": {**TEXTS, "description": "who began it, then who went on with it"},
                    "message": TEXT,
                    "clock": one_of("node"),
                    "first": _AT,
                    "last": _AT,
                    "differing": {
                        **by_name(shape({"kind": TEXT, "message": TEXT})),
                        "description": "the nodes with another kind or message than most",
                    },
                    "nodes": by_name(_NODE),
                }
            )
        ),
        "failures": {**by_name(FAILURE), "description": "the nodes that could not be read"},
        "skipped_lines": by_name(WHOLE),
        "cut": {**TEXTS, "description": "the nodes of whose log only the newest part was read"},
    }
)

"""The JSON Schema of the output of `fleet mirrors test --json`."""

from __future__ import annotations

from fleet.cli.output.json_schema_parts import (
    FAILURE,
    FLAG,
    SECONDS,
    TEXT,
    TEXTS,
    WHOLE,
    by_name,
    listed,
    maybe,
    one_of,
    shape,
)
from fleet.core.mirrors.check import Diagnosis, Trouble

_DIAGNOSIS = one_of(*map(str, Diagnosis))


_RATE = {"bytes_per_second": maybe(WHOLE)}


_TRIAL = shape(
    {
        "registry": TEXT,
        "url": TEXT,
        "image": maybe(TEXT),
        "diagnosis": _DIAGNOSIS,
        "message": {**TEXT, "description": "what is wrong, and what to do; empty for ok"},
        "address": maybe(TEXT),
        "digest": maybe(TEXT),
        "first_byte": maybe(SECONDS),
        "layer_bytes": maybe(WHOLE),
        **_RATE,
        "proxy": {**maybe(TEXT), "description": "the one that containerd takes instead"},
        "steps": listed(
            shape(
                {
                    "step": one_of("dns", "tcp", "tls", "ping", "token", "manifest", "layer"),
                    "ok": FLAG,
                    "seconds": SECONDS,
                    "status": maybe(WHOLE),
                    "trouble": maybe(one_of(*map(str, Trouble))),
                    "words": TEXT,
                    "host": maybe(TEXT),
                }
            )
        ),
    }
)


_CELL = shape(
    {"diagnosis": _DIAGNOSIS, "agree": WHOLE, "nodes": WHOLE, "first_byte": maybe(SECONDS)}
)


_RANK = shape(
    {
        "url": TEXT,
        "served": WHOLE,
        "asked": WHOLE,
        "stale": FLAG,
        "ends_pulls": FLAG,
        "seconds": maybe(SECONDS),
        "first_byte": maybe(SECONDS),
        **_RATE,
    }
)


MIRRORS = shape(
    {
        "nodes": by_name(
            shape(
                {
                    "site": maybe(TEXT),
                    "clock_behind": {"type": "number", "description": "seconds"},
                    "endpoints": listed(_TRIAL),
                    "failure": FAILURE,
                }
            )
        ),
        "matrix": {**by_name(by_name(by_name(_CELL))), "description": "registry, URL, site"},
        "ranking": listed(
            shape(
                {
                    "registry": TEXT,
                    "written": TEXTS,
                    "proposed": TEXTS,
                    "moves": FLAG,
                    "reason": TEXT,
                    "endpoints": listed(_RANK),
                }
            )
        ),
        "written": listed(
            shape(
                {
                    "place": TEXT,
                    "order": listed(shape({"url": TEXT, "was": WHOLE})),
                    "written": FLAG,
                    "reason": TEXT,
                }
            )
        ),
    }
)

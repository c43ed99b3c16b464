"""The data of a small report, in which a test replaces what it is about."""

from __future__ import annotations

from typing import Any


def node(status: str = "converged", **more: Any) -> dict[str, Any]:
    """Return a node of a report that was staged and activated."""
    steps = [
        {"step": "stage", "began": 0.0, "ended": 1.0, "status": "staged"},
        {"step": "activate", "began": 2.0, "ended": 4.0, "status": status},
    ]
    return {
        "status": status,
        "strategy": "certs.d",
        "containerd": "1.7.24",
        "restarted": True,
        "seconds": 2.0,
        "steps": steps,
        **more,
    }


def report(nodes: dict[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return a report of a rollout to these nodes in one batch."""
    return {
        "rollout": "20260101-000000-abcd",
        "kind": "rollout",
        "status": "finished",
        "ending": "finished",
        "reason": "",
        "operator": "ops@workstation",
        "message": "",
        "started": "2026-01-01T10:20:30.123+00:00",
        "ended": "2026-01-01T10:20:40+00:00",
        "seconds": 10.0,
        "files": {},
        "flags": {},
        "counts": {"converged": len(nodes)},
        "batches": [{"number": 1, "began": 2.0, "nodes": list(nodes)}],
        "nodes": nodes,
        "matrix": [],
        "mirrors": [],
        "plans": [],
        **more,
    }

"""The decisions of a cluster's gates as plain data, for --json and the journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fleet.core.failure import Failure
from fleet.core.history.serialize import failure_data, read_failure
from fleet.core.rollout.gates import GateDecision, GateTime
from fleet.core.rollout.state import GateDecided


def gate_data(decision: GateDecision) -> dict[str, Any]:
    """Return the decision of a gate about a batch as data."""
    return {
        "notes": list(decision.notes),
        "held": {name: failure_data(failure) for name, failure in decision.held.items()},
        "excused": sorted(decision.excused),
        "flagged": {name: failure_data(failure) for name, failure in decision.flagged.items()},
        "unavailable": dict(decision.unavailable),
        "halt": failure_data(decision.halt),
        "waited": round(decision.waited, 1),
    }


def gates_data(gates: Iterable[GateDecided]) -> list[dict[str, Any]]:
    """Return the decisions of gates as data; batches count from 1."""
    return [gate_event_data(gate) for gate in gates]


def gate_event_data(gate: GateDecided) -> dict[str, Any]:
    """Return the decision of a gate, with its batch, as data."""
    return {"batch": gate.batch + 1, "when": str(gate.when), **gate_data(gate.decision)}


def read_gate(data: Mapping[str, Any]) -> GateDecision:
    """Parse the data of `gate_data`."""
    return GateDecision(
        notes=tuple(data["notes"]),
        held=_read_failures(data["held"]),
        excused=frozenset(data["excused"]),
        flagged=_read_failures(data["flagged"]),
        unavailable=data["unavailable"],
        halt=read_failure(data["halt"]),
        waited=data["waited"],
    )


def read_gate_event(data: Mapping[str, Any]) -> GateDecided:
    """Parse one of the items of `gates_data`."""
    return GateDecided(data["batch"] - 1, GateTime(data["when"]), read_gate(data))


def _read_failures(data: Mapping[str, Any]) -> dict[str, Failure]:
    return {name: failure for name, about in data.items() if (failure := read_failure(about))}

"""Notes on the hosts of a trace that did not serve all of an image."""

from __future__ import annotations

from fleet.core.verify.trace import Trace


def passed_over(trace: Trace) -> list[str]:
    """Return a note for each host that did not resolve the name before another one did."""
    failed = (hop for hop in trace.hops if not hop.good and hop.what == "resolve")
    return list(dict.fromkeys(f"{hop.host} failed ({hop.response})" for hop in failed))


def mixed_notes(trace: Trace, host: str | None) -> list[str]:
    """Return notes on hosts that resolved the name and did not serve the layers."""
    notes = []
    for hop in trace.hops:
        if hop.good or hop.what == "resolve" or hop.host in trace.turned_down:
            continue
        listed = " (not in its allow-list)" if hop.response.startswith("403") else ""
        thing = "layers" if hop.what == "blob" else "manifest"
        notes.append(f"{hop.host} refused the {thing}: {hop.response}{listed}")
    if trace.resolved != host:
        notes.append(f"{trace.resolved} resolved the name, {host} served the layers")
    return list(dict.fromkeys(notes))

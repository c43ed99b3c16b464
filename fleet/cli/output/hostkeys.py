"""Host keys as text and as data."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict

from fleet.actions.hostkeys import ADDED
from fleet.cli.options import Settings
from fleet.cli.output.failures import print_failures
from fleet.cli.output.tables import console, print_json, table
from fleet.core.failure import Failure
from fleet.core.history.serialize import failure_data
from fleet.core.plan.state import unread_state
from fleet.ssh.hostkey_scan import HostKey

_Results = Mapping[str, HostKey | Failure]
_ADVICE = {
    "changed": "CHANGED: {place} holds another {kind} key; find out why at the console, then remove"
    " that line",
    "revoked": "REVOKED by {place}; do not connect before you know why",
    "certified": "{place} vouches for it by @cert-authority, which cannot be checked here; its own"
    " key can be added",
}


def print_keys_data(nodes: _Results, jumps: _Results, added: Collection[str]) -> None:
    """Print the keys of nodes and of their jump hosts as one JSON document."""
    parts = {"nodes": nodes, **({"jumps": jumps} if jumps else {})}
    print_json(
        {
            part: {name: _data(result, added) for name, result in results.items()}
            for part, results in parts.items()
        }
    )


def _data(result: HostKey | Failure, added: Collection[str]) -> dict[str, object]:
    if isinstance(result, Failure):
        return {"state": unread_state(result), "failure": failure_data(result)}
    return {**asdict(result), "added": result.name in added, "failure": None}


def show_keys(results: _Results, settings: Settings) -> None:
    """Print keys as a table, with advice on changed, revoked and certified ones."""
    out = console(color=settings.color)
    rows = [
        (name, result.state, result.kind, result.fingerprint, result.name)
        if isinstance(result, HostKey)
        else (name, unread_state(result), "", "", "")
        for name, result in results.items()
    ]
    table(("NODE", "STATE", "KEY", "FINGERPRINT", "HOST"), rows, out, settings.hidden("HOST"))
    for name, result in results.items():
        if isinstance(result, HostKey) and result.state in _ADVICE:
            text = _ADVICE[result.state].format(place=result.before, kind=result.kind)
            out.print(f"{name}: {text}", style="bold red")
    failures = ((name, it) for name, it in results.items() if isinstance(it, Failure))
    print_failures(failures, out)
    if any(isinstance(result, HostKey) and result.state in ADDED for result in results.values()):
        out.print("compare the fingerprints at the consoles (ssh-keygen -lf) before you add them")

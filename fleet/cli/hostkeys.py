"""The command `fleet hostkeys`: host keys, compared with known_hosts, and added after a yes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict

import click

from fleet.cli.options import Exit, Settings
from fleet.cli.output.tables import console, print_json, table
from fleet.cli.prompts import unlocked
from fleet.config.load import load_inventory
from fleet.core.failure import Failure
from fleet.core.history.serialize import failure_data, unread_state
from fleet.engine.workers.base import WorkerPool, map_nodes
from fleet.errors import FleetError, printable
from fleet.ssh import SshSettings
from fleet.ssh.hostkey_scan import HostKey, KeyScan, add_host_key, jump_host_scans, scan_host_key

_Answers = dict[str, HostKey | Failure]
_ADDED = {"unknown", "certified"}
_ADVICE = {
    "changed": "CHANGED: {place} holds another {kind} key; find out why at the console, then remove"
    " that line",
    "revoked": "REVOKED by {place}; do not connect before you know why",
    "certified": "{place} vouches for it by @cert-authority, which cannot be checked here; its own"
    " key can be added",
}


def hostkeys(settings: Settings, *, pool: WorkerPool, seconds: float, yes: bool) -> Exit:
    """Show the keys; add those of unknown nodes after a yes, never one that has changed.

    Jump hosts come first: a connection through one needs its key to be known.
    """
    nodes = settings.select(load_inventory(settings.inventory))
    ssh = unlocked(SshSettings(settings.ssh_config, seconds), nodes)
    node_scans = {node.name: KeyScan(node, ssh) for node in nodes}
    all_answers: list[_Answers] = []
    added: set[str] = set()
    for scans in (*jump_host_scans(nodes, ssh), node_scans):
        answers = _scan_keys(scans, pool)
        if not settings.as_json:
            _print(answers, settings)
        added |= _add(answers, yes=yes, ask=not settings.as_json)
        all_answers.append(answers)
    jumps = {name: answer for answers in all_answers[:-1] for name, answer in answers.items()}
    if settings.as_json:
        parts = {"nodes": all_answers[-1], **({"jumps": jumps} if jumps else {})}
        print_json(
            {
                part: {n: _data(a, added) for n, a in answers.items()}
                for part, answers in parts.items()
            }
        )
    bad = any(_is_bad(answer) for answers in all_answers for answer in answers.values())
    return Exit.FAILED if bad else Exit.OK


def _scan_keys(scans: Mapping[str, KeyScan], pool: WorkerPool) -> _Answers:
    names = {id(scan): name for name, scan in scans.items()}
    answers = {
        names[id(scan)]: answer for scan, answer in map_nodes(scan_host_key, scans.values(), pool)
    }
    return {name: answers[name] for name in scans}


def _is_bad(answer: HostKey | Failure) -> bool:
    return isinstance(answer, Failure) or answer.state in {"changed", "revoked"}


def _add(answers: _Answers, *, yes: bool, ask: bool) -> set[str]:
    """Add the keys of unknown nodes; return the names under which they were added."""
    keys = [answer for answer in answers.values() if isinstance(answer, HostKey)]
    new = {key.name: key for key in keys if key.state in _ADDED}
    files = ", ".join(dict.fromkeys(key.file for key in new.values()))
    if not new or not (yes or (ask and sys.stdin.isatty())):
        return set()
    if not yes:
        click.confirm(f"Add {len(new)} keys to {files}?", abort=True, err=True)
    try:
        for key in new.values():
            add_host_key(key)
    except OSError as error:
        raise FleetError(f"{files}: cannot be written ({error.strerror})") from error
    click.echo(f"{len(new)} keys added to {files}", err=True)
    return set(new)


def _data(answer: HostKey | Failure, added: set[str]) -> dict[str, object]:
    if isinstance(answer, Failure):
        return {"state": unread_state(answer), "failure": failure_data(answer)}
    return {**asdict(answer), "added": answer.name in added, "failure": None}


def _print(answers: _Answers, settings: Settings) -> None:
    out = console(color=settings.color)
    rows = [
        (name, answer.name, answer.kind, answer.fingerprint, answer.state)
        if isinstance(answer, HostKey)
        else (name, "", "", "", unread_state(answer))
        for name, answer in answers.items()
    ]
    table(("NODE", "HOST", "KEY", "FINGERPRINT", "STATE"), rows, out)
    for name, answer in answers.items():
        if isinstance(answer, Failure):
            out.print(f"{name}: {printable(answer.message)}", style="red")
        elif answer.state in _ADVICE:
            text = _ADVICE[answer.state].format(place=answer.before, kind=answer.kind)
            out.print(f"{name}: {text}", style="bold red")
    if any(isinstance(answer, HostKey) and answer.state in _ADDED for answer in answers.values()):
        out.print("compare the fingerprints at the consoles (ssh-keygen -lf) before you add them")

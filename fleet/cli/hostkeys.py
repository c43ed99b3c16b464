"""The host keys of the nodes: shown, compared with known_hosts, and added after a yes."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from fleet.cli import views
from fleet.cli.options import Exit, Settings
from fleet.config.load import load_inventory
from fleet.core.outcome import Failure
from fleet.core.present import failure_data
from fleet.engine.crew import Crew, each
from fleet.errors import FleetError, printable
from fleet.ssh import SshSettings
from fleet.ssh.hostkeys import HostKey, KeyOrder, add_key, ask_key

_Answers = dict[str, HostKey | Failure]


def hostkeys(settings: Settings, *, crew: Crew, seconds: float, yes: bool) -> Exit:
    """Show the keys; add those of unknown nodes after a yes, never one that has changed."""
    nodes = settings.select(load_inventory(settings.inventory))
    orders = [KeyOrder(node, SshSettings(settings.ssh_config, seconds)) for node in nodes]
    found = {order.node.name: answer for order, answer in each(ask_key, orders, crew)}
    answers: _Answers = {node.name: found[node.name] for node in nodes}
    if not settings.as_json:
        _print(answers, settings)
    added = _add(answers, yes=yes, ask=not settings.as_json)
    if settings.as_json:
        views.print_json({"nodes": {name: _data(a, added) for name, a in answers.items()}})
    keys = [answer for answer in answers.values() if isinstance(answer, HostKey)]
    bad = len(keys) < len(answers) or any(key.state == "changed" for key in keys)
    return Exit.FAILED if bad else Exit.OK


def _add(answers: _Answers, *, yes: bool, ask: bool) -> set[str]:
    """Add the keys of unknown nodes; return the names under which they were added."""
    keys = [each for each in answers.values() if isinstance(each, HostKey)]
    new = {key.name: key for key in keys if key.state == "unknown"}
    if not new or not (yes or (ask and sys.stdin.isatty())):
        return set()
    if not yes:
        click.confirm(f"Add {len(new)} keys to {keys[0].file}?", abort=True, err=True)
    try:
        for key in new.values():
            add_key(key)
    except OSError as error:
        raise FleetError(f"{keys[0].file}: cannot be written ({error.strerror})") from error
    click.echo(f"{len(new)} keys added to {keys[0].file}", err=True)
    return set(new)


def _data(answer: HostKey | Failure, added: set[str]) -> dict[str, object]:
    if isinstance(answer, Failure):
        return {"state": "unreachable", "failure": failure_data(answer)}
    return {**asdict(answer), "added": answer.name in added, "failure": None}


def _print(answers: _Answers, settings: Settings) -> None:
    out = views.console(color=settings.color)
    rows = [
        (name, answer.name, answer.kind, answer.fingerprint, answer.state)
        if isinstance(answer, HostKey)
        else (name, "", "", "", "unreachable")
        for name, answer in answers.items()
    ]
    views.table(("NODE", "HOST", "KEY", "FINGERPRINT", "STATE"), rows, out)
    for name, answer in answers.items():
        if isinstance(answer, Failure):
            out.print(f"{name}: {printable(answer.message)}", style="red")
        elif answer.state == "changed":
            text = (
                f"{name}: CHANGED: {answer.before} holds another {answer.kind} key; find out why at"
                " the console, then remove that line"
            )
            out.print(text, style="bold red")
    if any(isinstance(each, HostKey) and each.state == "unknown" for each in answers.values()):
        out.print("compare the fingerprints at the consoles (ssh-keygen -lf) before you add them")

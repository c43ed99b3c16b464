"""The explanation of a registry config as text and as data."""

from __future__ import annotations

from dataclasses import asdict

from fleet.cli.options import Settings
from fleet.cli.output.failures import failure_line
from fleet.cli.output.tables import console, print_json, table
from fleet.core.failure import Failure
from fleet.core.history.serialize import failure_data
from fleet.core.lint.explain import Explanation
from fleet.errors import printable


def show_explanation(node: str, explanation: Explanation | Failure, settings: Settings) -> None:
    """Print the deciding file and line, the order of hosts, and the effect of failing hosts."""
    if settings.as_json:
        body = (
            {"failure": failure_data(explanation)}
            if isinstance(explanation, Failure)
            else asdict(explanation)
        )
        print_json({"node": node, **body})
    elif isinstance(explanation, Explanation):
        _print(node, explanation, settings)
    if isinstance(explanation, Failure):
        settings.say(f"{node}: {failure_line(explanation)}")


def _print(node: str, explanation: Explanation, settings: Settings) -> None:
    out = console(color=settings.color)
    head = f"{node}: {explanation.registry} by containerd {explanation.version}: {explanation.way}"
    out.print(printable(head), style="bold")
    out.print(f"decided at {printable(explanation.decides)}")
    if explanation.folders:
        rows = [(folder.path, folder.state) for folder in explanation.folders]
        table(("FOLDERS SEARCHED", ""), rows, out)
    host_rows = [
        (str(number), host.asks, " ".join(host.capabilities), host.where, host.note)
        for number, host in enumerate(explanation.hosts, 1)
    ]
    table(("", "ASKS", "FOR", "SAID AT", "WITH"), host_rows, out)
    table(("IF A HOST ...", "CONTAINERD ..."), explanation.failures, out)
    for finding in explanation.findings:
        out.print(f"note: {printable(finding)}", style="yellow")

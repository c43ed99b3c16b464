"""The results of a command on many nodes, as text and as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.cli.options import Settings
from fleet.cli.output.failures import print_failures
from fleet.cli.output.tables import console, print_json
from fleet.core.failure import Failure
from fleet.core.history.serialize import failure_data
from fleet.core.selection.ranges import compress
from fleet.errors import printable
from fleet.node.run_command import RunResult


def show_results(
    command: str, results: Mapping[str, RunResult | Failure], settings: Settings
) -> None:
    """Print the output and the exit code of each node; nodes with equal results share them."""
    if settings.as_json:
        nodes = {name: _data(result) for name, result in results.items()}
        print_json({"command": command, "nodes": nodes})
    else:
        _print(results, settings)


def _data(result: RunResult | Failure) -> dict[str, Any]:
    if isinstance(result, Failure):
        return {"code": None, "output": None, "seconds": None, "failure": failure_data(result)}
    return {
        "code": result.code,
        "output": result.output,
        "seconds": result.seconds,
        "failure": None,
    }


def _print(results: Mapping[str, RunResult | Failure], settings: Settings) -> None:
    """Print nodes with the same result together, in the order of exit codes: failures last."""
    out = console(color=settings.color)
    groups: dict[tuple[int, str], list[str]] = {}
    failures = []
    for name, result in results.items():
        if isinstance(result, Failure):
            failures.append((name, result))
        else:
            groups.setdefault((result.code, result.output), []).append(name)
    for (code, text), names in sorted(groups.items(), key=lambda group: group[0][0]):
        word = {0: "ok", 124: "ran out of time"}.get(code, f"exit code {code}")
        out.print(f"{compress(names)} ({len(names)}): {word}", style="bold" if code == 0 else "red")
        for line in printable(text).splitlines():
            out.print(f"    {line}")
    print_failures(failures, out)

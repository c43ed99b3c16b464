"""The results of a command on many nodes, as text and as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.cli.options import Settings
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
    for name, result in results.items():
        key = _key(result)
        groups.setdefault(key, []).append(name)
    for (code, text), names in sorted(groups.items(), key=lambda group: group[0][0]):
        word = {0: "ok", 124: "ran out of time", 256: "failed"}.get(code, f"exit code {code}")
        out.print(f"{compress(names)} ({len(names)}): {word}", style="bold" if code == 0 else "red")
        for line in printable(text).splitlines():
            out.print(f"    {line}")


def _key(result: RunResult | Failure) -> tuple[int, str]:
    if isinstance(result, Failure):
        remedy = f"\n  remedy: {result.remedy}" if result.remedy else ""
        return 256, f"{result.kind}: {result.message}{remedy}"
    return result.code, result.output

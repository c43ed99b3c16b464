"""The command `fleet run`: a shell command on the chosen nodes, with equal answers grouped."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from fleet.cli.options import Exit, Settings
from fleet.cli.output.tables import console, print_json
from fleet.cli.prompts import ready
from fleet.config.load import load_inventory
from fleet.core.failure import Failure
from fleet.core.history.serialize import failure_data
from fleet.core.selection.ranges import compress
from fleet.engine.workers.base import WorkerPool, map_nodes
from fleet.errors import FleetError, printable
from fleet.node.run_command import RunOrder, RunResult
from fleet.node.run_command import run as run_on_node
from fleet.node.work_order import Access

_Answers = Mapping[str, RunResult | Failure]


def run(
    settings: Settings, access: Access, words: Sequence[str], *, pool: WorkerPool, seconds: int
) -> Exit:
    """Run a command; one word is a line for the shell, several are a command with arguments."""
    if not words:
        raise FleetError("nothing to run: fleet run -- COMMAND")
    command = words[0] if len(words) == 1 else shlex.join(words)
    nodes = settings.select(load_inventory(settings.inventory))
    access = ready(access, nodes)
    orders = [RunOrder(node, access, command, seconds) for node in nodes]
    unordered: dict[str, RunResult | Failure] = {}
    for order, answer in map_nodes(run_on_node, orders, pool, again=False):
        unordered[order.node.name] = answer
        if len(unordered) % 50 == 0 or len(unordered) == len(nodes):
            settings.say(f"run {len(unordered)}/{len(nodes)}")
    answers = {node.name: unordered[node.name] for node in nodes}
    if settings.as_json:
        print_json(
            {"command": command, "nodes": {name: _data(answer) for name, answer in answers.items()}}
        )
    else:
        _print(answers, settings)
    good = all(isinstance(answer, RunResult) and answer.code == 0 for answer in answers.values())
    return Exit.OK if good else Exit.FAILED


def _data(answer: RunResult | Failure) -> dict[str, Any]:
    if isinstance(answer, Failure):
        return {"code": None, "output": None, "seconds": None, "failure": failure_data(answer)}
    return {
        "code": answer.code,
        "output": answer.output,
        "seconds": answer.seconds,
        "failure": None,
    }


def _print(answers: _Answers, settings: Settings) -> None:
    """Print nodes with the same answer together, in the order of exit codes: failures last."""
    out = console(color=settings.color)
    groups: dict[tuple[int, str], list[str]] = {}
    for name, answer in answers.items():
        key = _key(answer)
        groups.setdefault(key, []).append(name)
    for (code, text), names in sorted(groups.items(), key=lambda group: group[0][0]):
        word = {0: "ok", 124: "ran out of time", 256: "failed"}.get(code, f"exit code {code}")
        out.print(f"{compress(names)} ({len(names)}): {word}", style="bold" if code == 0 else "red")
        for line in printable(text).splitlines():
            out.print(f"    {line}")


def _key(answer: RunResult | Failure) -> tuple[int, str]:
    if isinstance(answer, Failure):
        return 256, f"{answer.kind}: {answer.message}"
    return answer.code, answer.output

"""A shell command on many nodes."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from fleet.actions.session import Session
from fleet.core.failure import Failure
from fleet.core.model.node import Node
from fleet.engine.workers.base import map_nodes
from fleet.errors import FleetError
from fleet.node.run_command import RunOrder, RunResult
from fleet.node.run_command import run as run_on_node


def command_line(words: Sequence[str]) -> str:
    """Return the command line for the shell: one word as it is, several quoted and joined.

    Raise a FleetError if `words` is empty.
    """
    if not words:
        raise FleetError("nothing to run: fleet run -- COMMAND")
    return words[0] if len(words) == 1 else shlex.join(words)


def run(
    nodes: Sequence[Node], command: str, session: Session, *, seconds: int
) -> dict[str, RunResult | Failure]:
    """Run a command on nodes; return their results in the order of `nodes`."""
    session = session.ready(nodes)
    orders = [RunOrder(node, session.access, command, seconds) for node in nodes]
    results: dict[str, RunResult | Failure] = {}
    for order, result in map_nodes(run_on_node, orders, session.pool, again=False):
        results[order.node.name] = result
        if len(results) % 50 == 0 or len(results) == len(nodes):
            session.ui.message(f"run {len(results)}/{len(nodes)}")
    return {node.name: results[node.name] for node in nodes}

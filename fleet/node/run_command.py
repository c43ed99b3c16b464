"""The run of an administrator's command on one node."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from fleet.core.failure import Failure, NodeError, Step
from fleet.core.model.node import Node
from fleet.node.run_script import run_script
from fleet.node.script import Script, protocol_error
from fleet.node.work_order import Access
from fleet.ssh import connect


@dataclass(frozen=True, slots=True)
class RunOrder:
    """The order to run a command on a node with the node's privilege, for at most `seconds`."""

    node: Node
    access: Access
    command: str
    seconds: int


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of a command: its exit code, the output of both streams, and its duration.

    Code 124 means that it timed out. Only the last 256 KiB of the output are kept.
    """

    code: int
    output: str
    seconds: float


def run(order: RunOrder) -> RunResult | Failure:
    """Run the command; return a Failure if it could not run."""
    script = Script(
        Step.RUN, {"COMMAND": order.command, "LIMIT": str(order.seconds)}, order.seconds + 10
    )
    began = time.monotonic()
    try:
        with connect(order.node, order.access.ssh) as remote:
            reply = run_script(remote, script, order.access.for_node(order.node))
    except NodeError as error:
        return error.failure
    text, mark, code = reply.value("output").rpartition("\nrc ")
    if not mark or not re.fullmatch("[0-9]{1,3}", code):
        return protocol_error("no exit code of the command").failure
    return RunResult(int(code), text.rstrip("\n"), round(time.monotonic() - began, 2))

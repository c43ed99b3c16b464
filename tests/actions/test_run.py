"""A command on many nodes: its words, and the order of its results."""

from __future__ import annotations

import pytest

from fleet.actions.run import command_line, run
from fleet.core.failure import Failure, FailureKind, Step
from fleet.errors import FleetError
from fleet.node.run_command import RunResult
from fleet.node.run_command import run as run_on_node
from tests.actions.conftest import Small
from tests.support.scripted_pool import Watcher


def test_one_word_is_a_line_and_several_are_quoted() -> None:
    assert command_line(["uptime | wc"]) == "uptime | wc"
    assert command_line(["echo", "a b", "$HOME"]) == "echo 'a b' '$HOME'"
    with pytest.raises(FleetError, match="nothing to run"):
        command_line([])


def test_results_come_in_the_order_of_the_nodes(small: Small) -> None:
    nodes, watcher = tuple(reversed(small.load().inventory.nodes)), Watcher()
    done, lost = (
        RunResult(0, "up", 0.1),
        Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "try again"),
    )
    small.pool.ends |= {(run_on_node, name): done for name in "ac"} | {(run_on_node, "b"): lost}

    results = run(nodes, "uptime", small.session(watcher), seconds=9)

    assert list(results.items()) == [("c", done), ("b", lost), ("a", done)]
    assert watcher.shown == ["run 3/3"]

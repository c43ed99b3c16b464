"""A worker pool whose nodes answer from a script, for actions without nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fleet.actions.user_interface import Progress, Scope, UserInterface
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.node.converge import converge
from fleet.node.probe_node import probe
from fleet.node.recheck import recheck, settle_left
from fleet.node.revert import revert
from fleet.node.stage import release, release_once, stage
from fleet.node.verify.run import verify
from fleet.node.verify.selftest import self_test
from fleet.node.work_order import WorkOrder
from tests.node.record import ANSWERS
from tests.node.test_probe import facts_of

ENDS = {
    stage: NodeStatus.STAGED,
    converge: NodeStatus.CONVERGED,
    recheck: NodeStatus.CONVERGED,
    revert: NodeStatus.ROLLED_BACK,
    release: NodeStatus.PENDING,
    release_once: NodeStatus.PENDING,
    settle_left: NodeStatus.PENDING,
    verify: NodeStatus.UNCHANGED,
    self_test: NodeStatus.UNCHANGED,
}
TRIXIE = facts_of((ANSWERS / "trixie.txt").read_text())
INVENTORY = "all: {hosts: {a: {}, b: {}, c: {}}}\n"
MIRRORS = "version: 1\nmirrors:\n  docker.io:\n    endpoints: ['https://m.example']\n"


class Killed(BaseException):
    """The death of fleet in the middle of a rollout."""


@dataclass
class ScriptedPool:
    """A pool whose work is done at once; `ends` overrides how the work on a node ends."""

    ends: dict[tuple[Callable[..., Any], str], Any] = field(default_factory=dict)
    done: list[tuple[str, str]] = field(default_factory=list)
    messages: set[str] = field(default_factory=set)
    orders: dict[str, WorkOrder] = field(default_factory=dict)
    parallel: int = 4
    most_changes: int = 4
    keeps_connections: bool = False

    def submit(self, work: Callable[[Any], Any], order: Any) -> Future[Any]:
        """Return a future that has its result already."""
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        name = order.node.name
        self.done.append((work.__name__, name))
        if isinstance(order, WorkOrder):
            self.messages.add(order.message)
            self.orders[name] = order
        if (work, name) in self.ends:
            future.set_result(self.ends[work, name])
        elif work is probe:
            future.set_result(TRIXIE)
        else:
            future.set_result(NodeOutcome(node=name, status=ENDS[work]))
        return future

    def close(self) -> None:
        """Close nothing."""


class Watcher(UserInterface, Progress):
    """A user who writes down what is shown, and may end the process or stop the rollout."""

    def __init__(self, die_at: str = "") -> None:
        self.shown: list[str] = []
        self._die_at = die_at

    @contextmanager
    def progress(
        self, rollout: str, scope: Scope, abandon: Callable[[], None]
    ) -> Iterator[Progress]:
        """Watch the rollout."""
        del abandon
        self.shown.append(f"{scope.total} nodes, {scope.allowed} may fail")
        yield self

    def message(self, text: str) -> None:
        """Write a line down."""
        self.shown.append(text)

    def batch(self, number: int, total: int, nodes: tuple[str, ...]) -> None:
        """Write a batch down."""
        self.shown.append(f"batch {number}/{total}: {' '.join(nodes)}")

    def started(self, node: str, status: NodeStatus) -> None:
        """Write the start of work down, or die there."""
        if f"{node} {status}" == self._die_at:
            raise Killed
        self.shown.append(f"{node} {status}")

    def ended(self, outcome: NodeOutcome) -> None:
        """Write an outcome down."""
        self.shown.append(f"{outcome.node} {outcome.status}")

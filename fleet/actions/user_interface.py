"""The user interface of an action: what it shows to the user, and what it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from fleet.core.masking import Mark
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.plan.node_plan import NodePlan
from fleet.core.rollout.gates import GateDecision, GateTime
from fleet.engine.survey import NodeSurvey
from fleet.engine.time_left import nothing_known
from fleet.ssh import SshSettings

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Scope:
    """The totals against which a view shows progress: nodes to change, and nodes that may fail.

    `done` counts nodes that were done before a resume. `failed` counts those whose failure was
    known before the first change. `pause`, `soak` and `guard` are the seconds of these options.
    """

    total: int
    allowed: int
    failed: int = 0
    done: int = 0
    pause: float = 0
    soak: float = 0
    guard: float = 0
    time_left: Callable[[], float | None] = nothing_known
    """Returns the seconds until the end of the rollout, or None as long as they are unknown."""


class Progress:
    """The progress view of a running rollout. This base class shows nothing and never stops it."""

    def batch(self, number: int, total: int, nodes: tuple[str, ...]) -> None:
        """Show that a batch begins; numbers count from 1."""

    def started(self, node: str, status: NodeStatus) -> None:
        """Show that work on a node begins; `status` names the kind of work."""

    def ended(self, outcome: NodeOutcome) -> None:
        """Show how the work on a node ended."""

    def pausing(self, nodes: tuple[str, ...]) -> None:
        """Show that the pause after a batch begins; these nodes are checked again after it."""

    def gate(self, batch: int, when: GateTime, decision: GateDecision) -> None:
        """Show what a gate has decided about a batch; numbers count from 1."""

    def line(self, text: str) -> None:
        """Show one line of text."""

    def stopping(self) -> bool:
        """Return whether the user wants to stop before the next batch."""
        return False


class CarefulProgress(Progress):
    """A wrapper that defers a view's exceptions to the end of the rollout.

    Nodes in flight are finished and released first. After an exception, no method of the view is
    called again, and the rollout stops before its next batch.
    """

    def __init__(self, view: Progress) -> None:
        self._view = view
        self.errors: list[Exception] = []

    def batch(self, number: int, total: int, nodes: tuple[str, ...]) -> None:
        """Show that a batch begins."""
        self._safely(partial(self._view.batch, number, total, nodes), None)

    def started(self, node: str, status: NodeStatus) -> None:
        """Show that work on a node begins."""
        self._safely(partial(self._view.started, node, status), None)

    def ended(self, outcome: NodeOutcome) -> None:
        """Show how the work on a node ended."""
        self._safely(partial(self._view.ended, outcome), None)

    def pausing(self, nodes: tuple[str, ...]) -> None:
        """Show that the pause after a batch begins."""
        self._safely(partial(self._view.pausing, nodes), None)

    def gate(self, batch: int, when: GateTime, decision: GateDecision) -> None:
        """Show what a gate has decided about a batch."""
        self._safely(partial(self._view.gate, batch, when, decision), None)

    def line(self, text: str) -> None:
        """Show one line of text."""
        self._safely(partial(self._view.line, text), None)

    def stopping(self) -> bool:
        """Return whether the user wants to stop, or the view has failed."""
        return self._safely(self._view.stopping, True)

    def _safely(self, call: Callable[[], _Result], instead: _Result) -> _Result:
        try:
            return instead if self.errors else call()
        except Exception as error:  # noqa: BLE001 - the view's error; nodes are released first
            self.errors.append(error)
            return instead


class UserInterface:
    """The user interface of an action. This base class shows nothing and consents to everything.

    A subclass overrides what it shows or asks. An exception from a method ends the action, as no
    node is in flight then. During a rollout, only the methods of `Progress` are called. An
    exception from one of them stops the rollout before its next batch, and is raised at the end.
    """

    def message(self, text: str) -> None:
        """Show a line of progress, or a warning."""

    def surveyed(self, survey: NodeSurvey, number: int, total: int) -> None:
        """Show that a node was probed, the `number`th of `total`."""

    def plans(self, plans: Sequence[NodePlan], mark: Mark) -> None:
        """Show the plans that are about to be carried out; `mark` masks secrets."""

    def settled(self, outcome: NodeOutcome) -> None:
        """Show what became of a node that an interrupted rollout left in flight."""

    def unlock_keys(self, ssh: SshSettings, nodes: Sequence[Node]) -> SshSettings:
        """Return the settings with the passphrases of the keys that the nodes need."""
        del nodes
        return ssh

    def require_answer(self, purpose: str) -> None:
        """Raise a FleetError if nothing can answer a later question; `purpose` is its subject."""

    def confirm(self, count: int) -> None:
        """Ask whether `count` nodes may be changed; raise an exception if not."""

    def progress(
        self, rollout: str, scope: Scope, abandon: Callable[[], None]
    ) -> AbstractContextManager[Progress]:
        """Open the view of a rollout; `abandon` journals that the rollout stops in mid-batch."""
        del rollout, scope, abandon
        return _silent()

    def lost_output(self) -> Mapping[str, str]:
        """Return the output streams that could not be written, with the reasons."""
        return {}


@contextmanager
def _silent() -> Iterator[Progress]:
    yield Progress()

"""The event sink of a running rollout: outcomes, the journal, the view and the time left."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field, replace

from fleet.actions.journaling import RolloutJournal, event_entry
from fleet.actions.user_interface import Progress
from fleet.core.masking.known import clean_outcome
from fleet.core.model.outcome import NodeOutcome
from fleet.core.rollout.state import BatchBegun, BatchSoaked, Event, GateDecided, NodeMoved
from fleet.engine.cluster_traces import ClusterTraces
from fleet.engine.hooks import JournaledEvent
from fleet.engine.time_left import TimeLeft


@dataclass(slots=True, kw_only=True)
class Recorder:
    """Takes the events of a rollout; what is not in the journal is not begun.

    `secrets` are masked in outcomes. `outcomes` gets each node's outcome, merged with its earlier
    one.
    """

    batches: tuple[tuple[str, ...], ...]
    outcomes: MutableMapping[str, NodeOutcome]
    secrets: frozenset[str]
    journal: RolloutJournal
    progress: Progress
    time_left: TimeLeft
    gates: list[GateDecided] = field(default_factory=list)
    traces: ClusterTraces | None = None

    def record(self, events: Sequence[JournaledEvent]) -> None:
        """Merge and show outcomes, journal all events, then show what begins."""
        merged = [(event, outcome and self._merge(outcome)) for event, outcome in events]
        self.time_left.take(merged)
        for _, outcome in merged:
            if outcome is not None:
                self.progress.ended(outcome)
        self.journal.append_all([event_entry(event, outcome) for event, outcome in merged])
        for event, outcome in merged:
            if outcome is None:
                self._show(event)
            elif self.traces is not None:
                self.traces.ended(outcome)

    def pausing(self, batch: int) -> None:
        """Show the pause after a batch."""
        self.time_left.pause()
        self.progress.pausing(self.batches[batch])

    def _show(self, event: Event) -> None:
        match event:
            case NodeMoved(node, status):
                self.progress.started(node, status)
                if self.traces is not None:
                    self.traces.started(node, status)
            case BatchBegun(number):
                self.progress.batch(number + 1, len(self.batches), self.batches[number])
            case GateDecided(number, when, decision):
                for name, failure in decision.flagged.items():
                    self.outcomes[name] = replace(self.outcomes[name], failure=failure)
                self.gates.append(event)
                self.progress.gate(number + 1, when, decision)
            case BatchSoaked():
                pass

    def _merge(self, outcome: NodeOutcome) -> NodeOutcome:
        merged = clean_outcome(outcome, self.secrets).after(self.outcomes.get(outcome.node))
        self.outcomes[outcome.node] = merged
        return merged

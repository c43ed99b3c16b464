"""The states of nodes as text: their counts, and what each of them means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fleet.core.model.node_state import NodeState

if TYPE_CHECKING:
    from rich.console import Console


def state_counts(states: Iterable[NodeState]) -> str:
    """Return how many nodes are in each state, in the order of NodeState."""
    counts = Counter(states)
    return ", ".join(f"{counts[state]} {state}" for state in NodeState if counts[state])


def print_states(read: Iterable[NodeState], unread: Iterable[NodeState], out: Console) -> None:
    """Print how many nodes are in each state, then what each state means and what to do.

    `read` are the states of nodes that were read. The failure of an `unread` node has its own
    remedy.
    """
    read, unread = list(read), list(unread)
    out.print(state_counts([*read, *unread]), style="bold")
    for state in NodeState:
        if state in (*read, *unread) and state.remedy:
            out.print(f"{state}: {state.meaning}")
        if state in read and state.remedy:
            out.print(f"  remedy: {state.remedy}", style="bold")

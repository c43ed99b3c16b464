"""The checks of the control plane that are due before a move of the scheduler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.control_plane import ControlPlaneLimit
from fleet.core.rollout.state import Finish, Halt, Launch, Move, Revert
from fleet.engine.hooks import DriverHooks, QuorumHook

PlaneCheck = Callable[[Mapping[str, NodeStatus]], ControlPlaneLimit]
"""Takes the status of all nodes; returns the limit for control plane nodes as it is now."""


class PlaneChecks:
    """The checks of one rollout, and the nodes for which each was made."""

    def __init__(self, hooks: DriverHooks) -> None:
        self._plane, self._quorum = hooks.check_plane, hooks.check_quorum
        self._probed: set[tuple[str, bool]] = set()
        self._asked: set[tuple[str, bool]] = set()
        self._asked_last = False

    def due(self, move: Move, limit: ControlPlaneLimit) -> PlaneCheck | None:
        """Return the check that is due before a move changes control plane nodes; else None.

        It counts as made. After the last of these nodes the quorum is asked for once more.
        """
        if isinstance(move, Finish):
            return self._due_last(limit)
        if not isinstance(move, Launch | Revert | Halt):
            return None
        return self._due_probe(move, limit) or self._due_quorum(move, limit)

    def _due_probe(
        self, move: Launch | Revert | Halt, limit: ControlPlaneLimit
    ) -> PlaneCheck | None:
        """Return the probe of the nodes that the rollout has not locked.

        One is enough for all activations, since staging has locked these nodes. Each revert needs
        its own.
        """
        reverting = isinstance(move, Revert)
        due = {(name, reverting) for name in move.nodes if name in limit.nodes} - self._probed
        if self._plane is None or not due:
            return None
        self._probed |= due if reverting else {(name, False) for name in limit.nodes}
        return self._plane

    def _due_quorum(
        self, move: Launch | Revert | Halt, limit: ControlPlaneLimit
    ) -> PlaneCheck | None:
        """Return the check of etcd's quorum; each node that is taken down needs its own."""
        if self._quorum is None or limit.no_quorum or isinstance(move, Halt):
            return None
        reverting = isinstance(move, Revert)
        names = [name for name in move.nodes if name in limit.nodes and name not in limit.down]
        due = {(name, reverting) for name in names} - self._asked
        if not due:
            return None
        self._asked |= due
        return partial(_ask_quorum, self._quorum, names, limit)

    def _due_last(self, limit: ControlPlaneLimit) -> PlaneCheck | None:
        """Return the last check of the quorum, if nodes were taken down; it halts nothing."""
        if self._quorum is None or self._asked_last or not self._asked or limit.no_quorum:
            return None
        self._asked_last = True
        return partial(_ask_quorum, self._quorum, [], limit)


def _ask_quorum(
    ask: QuorumHook,
    names: list[str],
    limit: ControlPlaneLimit,
    nodes: Mapping[str, NodeStatus],
) -> ControlPlaneLimit:
    """Return the limit; if one of the nodes must stay up, all must, and the scheduler halts."""
    return replace(limit, no_quorum=ask(names, nodes, limit))

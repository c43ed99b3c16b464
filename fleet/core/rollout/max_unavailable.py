"""Concurrency limits of a rollout, with the number of further nodes that each allows to start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.batches import Limit
from fleet.core.rollout.policy import Policy
from fleet.core.text.counts import counted


class ConcurrencyLimits:
    """The free slots of the groups' limits and of the control plane's.

    The last two limits are the control plane's: nodes that are unavailable for any reason, and
    nodes in flight. Activating and reverting need both. A recheck, and activating a node that is
    already down, make no further node unavailable: both need only the second. A group, or the
    control plane, with nodes that a gate found unavailable has a further limit, which activating
    its other nodes needs.
    """

    def __init__(self, policy: Policy, names: Collection[str]) -> None:
        self._control_plane_limit, self._pause = policy.control_plane, policy.pause
        self.free = [limit.most for limit in policy.limits]
        self._unavailable, self._in_flight = len(self.free), len(self.free) + 1
        absent = sum(name not in names for name in self._control_plane_limit.down)
        self.free += [self._control_plane_limit.most - absent, self._control_plane_limit.most]
        if self._control_plane_limit.no_quorum:
            self.free[self._unavailable] = 0
        self._groups: dict[str, tuple[int, ...]] = defaultdict(tuple)
        for number, limit in enumerate(policy.limits):
            for name in limit.nodes:
                self._groups[name] += (number,)
        self._unavailable_nodes = policy.unavailable
        self._available: dict[str, tuple[int, ...]] = defaultdict(tuple)
        plane = Limit(self._control_plane_limit.nodes, self._control_plane_limit.most)
        for limit in (*policy.limits, plane):
            if down := limit.nodes & policy.unavailable.keys():
                for name in limit.nodes - down:
                    self._available[name] += (len(self.free),)
                self.free.append(limit.most - len(down))
        self.unproven: set[str] = set()
        """Control plane nodes that converged and must still be rechecked after the pause."""

    def launching(self, name: str) -> tuple[int, ...]:
        """Return the limits that activating a node needs a slot of."""
        down = name in self._control_plane_limit.down
        return (*(self.checking(name) if down else self.reverting(name)), *self._available[name])

    def checking(self, name: str) -> tuple[int, ...]:
        """Return the limits that rechecking a node needs a slot of."""
        control_plane = (self._in_flight,) if name in self._control_plane_limit.nodes else ()
        return (*self._groups[name], *control_plane)

    def reverting(self, name: str) -> tuple[int, ...]:
        """Return the limits that reverting a node needs a slot of."""
        if self._control_plane_limit.known.get(name) is False:  # it is already unavailable
            return self.checking(name)
        control_plane = (
            (self._unavailable, self._in_flight) if name in self._control_plane_limit.nodes else ()
        )
        return (*self._groups[name], *control_plane)

    def to_launch(self) -> list[int]:
        """Return the free slots for activating; a node whose recheck is due still uses one."""
        free = list(self.free)
        free[self._unavailable] -= len(self.unproven)
        return free

    def count(self, name: str, status: NodeStatus, sign: int, *, checked: bool) -> None:
        """Count a node that enters a status (`sign` 1) or leaves it (-1)."""
        if status.in_flight:
            for limit in (*self._groups[name], *self._available[name]):
                self.free[limit] -= sign
        if name not in self._control_plane_limit.nodes:
            return
        if status.changing:
            self.free[self._in_flight] -= sign
        if self._control_plane_limit.takes(name, status):
            self.free[self._unavailable] -= sign
        if sign < 0:
            self.unproven.discard(name)
        elif self._pause and status is NodeStatus.CONVERGED and not checked:
            self.unproven.add(name)

    def held_back(self, names: Iterable[str]) -> str:
        """Return why waiting nodes are not started if unavailable nodes use up a group's limit."""
        waiting = [
            name for name in names if any(self.free[limit] <= 0 for limit in self._available[name])
        ]
        if not waiting:
            return ""
        down = [f"{name} ({reason})" for name, reason in self._unavailable_nodes.items()]
        return (
            f"{counted(len(down), 'node')} unavailable: {', '.join(down)}. The max_unavailable of"
            f" their groups or of the control plane leaves no room for {', '.join(waiting)}."
            " Repair what is down, then resume the rollout"
        )

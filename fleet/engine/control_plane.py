"""The control plane check: a probe of the control plane nodes that a rollout has not locked.

It runs before the first control plane node is changed. By then, the rollout has locked its own
nodes. A second fleet process may be about to change another control plane node. Either that process
has locked its node and this check finds the lock, or its check finds the locks of this rollout. In
both cases, one of the two stops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from fleet.core.failure import Failure
from fleet.core.model.inventory import Inventory
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.control_plane import (
    Availability,
    ControlPlaneLimit,
    assumed,
    availability,
    control_plane_limit,
    outsiders,
)
from fleet.engine.bugs import isolate_bugs
from fleet.engine.workers.base import WorkerPool, map_nodes
from fleet.node.probe_node import ProbeOrder, probe
from fleet.node.work_order import Access

_WAITING = {NodeStatus.PENDING, NodeStatus.STAGED}


@dataclass(frozen=True, slots=True)
class PlaneAnswer:
    """The availability of a probed node, and whether the node has answered."""

    availability: Availability
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlaneCheck:
    """A probe of the control plane nodes that a rollout has not locked, whether selected or not.

    `surveyed` is the availability of the selected nodes, from the survey. `roles` returns the
    evidence by node from the journal. `begin` is called with the names of the nodes before the
    probe, `record` with their answers after it.
    """

    inventory: Inventory
    rollout: str
    access: Access
    pool: WorkerPool
    surveyed: Mapping[str, Availability]
    roles: Callable[[], Mapping[str, tuple[str, ...]]] = dict
    begin: Callable[[list[str]], None] = lambda _: None
    record: Callable[[Mapping[str, PlaneAnswer]], None] = lambda _: None

    def __call__(self, nodes: Mapping[str, NodeStatus]) -> ControlPlaneLimit:
        """Probe and return the present limit; `nodes` is the status of the rollout's own nodes."""
        roles = self.roles()
        unheld = (*self._not_held(nodes), *outsiders(self.inventory, self.surveyed, roles))
        answers: dict[str, PlaneAnswer] = {}
        if unheld:
            self.begin([node.name for node in unheld])
            answers = dict(self._answers(unheld, roles))
            self.record(answers)
        availabilities = {name: answer.availability for name, answer in answers.items()}
        up = {
            name: not role.down(self.rollout)
            for name, role in availabilities.items()
            if name in self.surveyed
        }
        return control_plane_limit(
            self.inventory, {**self.surveyed, **availabilities}, self.rollout, up
        )

    def _not_held(self, nodes: Mapping[str, NodeStatus]) -> Iterator[Node]:
        """Yield the selected control plane nodes that the rollout has not locked."""
        for node in self.inventory.nodes:
            status = nodes.get(node.name)
            free = status is not None and status not in _WAITING and not status.in_flight
            if free and self.surveyed[node.name].control_plane:
                yield node

    def _answers(
        self, nodes: Iterable[Node], roles: Mapping[str, tuple[str, ...]]
    ) -> Iterator[tuple[str, PlaneAnswer]]:
        access = replace(self.access, reuse_connection=False)
        for order, facts in map_nodes(
            probe, (ProbeOrder(node, access) for node in nodes), self.pool
        ):
            node = order.node
            if not isinstance(facts, Failure):
                role = isolate_bugs(partial(availability, facts), node.name)
                if not isinstance(role, Failure):
                    yield node.name, PlaneAnswer(role, answered=True)
                    continue
            unknown = assumed(node)
            before = self.surveyed.get(node.name, Availability(roles.get(node.name, ())))
            evidence = before.control_plane or unknown.control_plane
            yield node.name, PlaneAnswer(replace(unknown, control_plane=evidence), answered=False)

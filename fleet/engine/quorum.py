"""The quorum check: a probe of etcd's members before a control plane node is changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fleet.core.failure import Failure
from fleet.core.model.etcd import Etcd, EtcdState, quorum_problem
from fleet.core.model.inventory import Inventory
from fleet.core.model.outcome import NodeStatus
from fleet.core.rollout.control_plane import ControlPlaneLimit
from fleet.engine.workers.base import WorkerPool, map_nodes
from fleet.node.probe_node import ProbeOrder, probe
from fleet.node.work_order import Access

_WAIT_SECONDS = 120
"""The time for a member to be healthy again after its node was changed."""


_PAUSE = 1
"""Seconds between two probes."""


_CHANGED = {NodeStatus.CONVERGED, NodeStatus.ROLLED_BACK, NodeStatus.REVERTING}


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumCheck:
    """A check that etcd keeps its quorum while control plane nodes are down.

    The nodes themselves are asked first, then the other control plane nodes, until one can list
    the members. `waiting` is called once with the problem when the check begins to wait, `record`
    with the last answer.
    """

    inventory: Inventory
    access: Access
    pool: WorkerPool
    stopping: Callable[[], bool] = lambda: False
    waiting: Callable[[str], None] = lambda _: None
    record: Callable[[Sequence[str], Etcd | None, str], None] = lambda *_: None
    seconds: float = _WAIT_SECONDS

    def __call__(
        self,
        names: Sequence[str],
        nodes: Mapping[str, NodeStatus],
        limit: ControlPlaneLimit,
    ) -> str:
        """Return why these nodes must not be taken down; empty if they may, or if none can tell.

        If the rollout has changed a control plane node, wait for its member first. Without nodes,
        the answer is that for any further node.
        """
        changed = any(status in _CHANGED for name, status in nodes.items() if name in limit.nodes)
        until = time.monotonic() + (self.seconds if changed else 0)
        announced = False
        while True:
            etcd, problem = self._ask(names, limit)
            if not problem or time.monotonic() >= until or self.stopping():
                self.record(names, etcd, problem)
                return problem
            if not announced:
                self.waiting(problem)
                announced = True
            time.sleep(_PAUSE)

    def _ask(self, names: Sequence[str], limit: ControlPlaneLimit) -> tuple[Etcd | None, str]:
        """Return the answer that counts, and the problem; the answer is None if no node can tell.

        A node whose member is silent is a problem if no other node lists the members.
        """
        silent, asked = "", dict[str, Etcd | None]()
        for name, etcd in self._answers(names, limit):
            asked[name] = etcd
            if etcd is not None and etcd.listed:
                return etcd, _problem(etcd, names, asked, limit)
            if etcd is not None and etcd.state is EtcdState.SILENT and name in names:
                silent = silent or f"etcd's quorum is not known ({name}: {etcd.reason})"
        return None, silent if len(limit.nodes) > 1 else ""

    def _answers(
        self, names: Sequence[str], limit: ControlPlaneLimit
    ) -> Iterator[tuple[str, Etcd | None]]:
        """Probe control plane nodes one by one, those in `names` first; yield what they say."""
        known = {node.name: node for node in self.inventory.nodes}
        others = (name for name in known if name in limit.nodes and name not in names)
        access = replace(self.access, reuse_connection=False)
        for name in (*names, *others):
            if name in known:
                for _, facts in map_nodes(probe, [ProbeOrder(known[name], access)], self.pool):
                    yield name, None if isinstance(facts, Failure) else facts.machine.etcd


def _problem(
    etcd: Etcd,
    names: Sequence[str],
    asked: Mapping[str, Etcd | None],
    limit: ControlPlaneLimit,
) -> str:
    """Return why etcd's members must not go down with these nodes.

    A max_unavailable of the user that is greater than etcd can spare lifts the check.
    """
    if limit.most > max(1, etcd.spare):
        return ""
    if not names:
        return quorum_problem(etcd, 1)
    votes = (known.own_votes if (known := asked.get(name)) is not None else 1 for name in names)
    return quorum_problem(etcd, sum(votes))

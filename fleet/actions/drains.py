"""The cordons and drains of a job: the clusters of its nodes, and the cordons that a crash left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fleet.actions.clusters import NodeCluster, connect_clusters
from fleet.actions.options import RolloutOptions
from fleet.core.failure import Failure
from fleet.core.kubernetes.cordon import cordon_mark
from fleet.core.model.change import RestartCost
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan
from fleet.core.selection.ranges import compress
from fleet.engine.drains import DrainTarget, lift_cordons
from fleet.errors import FleetError
from fleet.journal import Journal, is_there

Clusters = tuple[NodeCluster, ...]


def clusters_to_drain(options: RolloutOptions, nodes: Sequence[Node]) -> Clusters:
    """Return the clusters of nodes that are to be cordoned or drained; none if that is not asked.

    Raise a FleetError if no node is in a cluster, or if no cluster can be used.
    """
    if not options.cordons:
        return ()
    flag = "--drain" if options.drain else "--cordon"
    clusters = connect_clusters(nodes, options.kube_context)
    if clusters is None:
        raise FleetError(
            f"{flag}: none of these nodes is in a cluster that fleet knows. Add `kubernetes` to"
            " their group in the inventory, or give --kube-context NAME"
        )
    failures = [cluster.failure for cluster in clusters if cluster.failure is not None]
    if len(failures) == len(clusters):
        raise FleetError(f"{flag}: {failures[0].message}. Next: {failures[0].remedy}")
    return clusters


def drain_targets(clusters: Iterable[NodeCluster]) -> dict[str, DrainTarget | Failure]:
    """Return the Node object of each node that is in a cluster, or why it has none."""
    targets: dict[str, DrainTarget | Failure] = {}
    for member in clusters:
        targets |= member.failures
        if (api := member.cluster) is not None:
            found = member.nodes.items()
            targets |= {name: DrainTarget(api, node.name) for name, node in found}
    return targets


def refuse_unknown(
    plans: Iterable[NodePlan], clusters: Clusters, say: Callable[[str], None]
) -> list[NodePlan]:
    """Return the plans; those fail that need a drain and whose Node object is not known.

    Show which nodes are not drained, as their containerd is not restarted.
    """
    if not clusters:
        return list(plans)
    targets = drain_targets(clusters)
    checked = [_refuse_unknown(plan, targets.get(plan.node.name)) for plan in plans]
    changed = (plan for plan in checked if plan.changes and not plan.failure)
    calm = [plan.node.name for plan in changed if not _restarts(plan)]
    if calm:
        say(f"{compress(calm)}: neither cordoned nor drained, since containerd is not restarted")
    return checked


def _refuse_unknown(plan: NodePlan, target: DrainTarget | Failure | None) -> NodePlan:
    if isinstance(target, Failure) and plan.failure is None and _restarts(plan):
        return replace(plan, failure=target)
    return plan


def _restarts(plan: NodePlan) -> bool:
    return plan.restart.cost is RestartCost.RESTART


def resumed_options(options: RolloutOptions, changes: Mapping[str, Any]) -> RolloutOptions:
    """Return the options of a resume: those of the rollout with the changes that are not None.

    Raise a FleetError if they contradict each other.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    if given.get("drain") is False:
        off = {"pod_grace": None, "drain_force": False, "delete_emptydir_data": False}
        given = {**off, **given}
    resumed = replace(options, **given)
    if given.get("cordon") is False and resumed.drain:
        raise FleetError("--no-cordon: a drain needs a cordon. Add --no-drain")
    resumed.validate()
    return resumed


def uncordon_left(
    nodes: Sequence[Node], rollout: str, options: RolloutOptions, say: Callable[[str], None]
) -> None:
    """Undo the cordons that an interrupted run of a rollout has left, and show how that ended."""
    ends = _lift_recorded(nodes, rollout, options.kube_context, options)
    if lifted := [name for name, failure in ends.items() if failure is None]:
        say(f"{compress(lifted)}: uncordoned")
    for name, failure in ends.items():
        if failure is not None:
            say(f"{name}: may still be cordoned: {failure.message}")


def unlock_cordons(
    nodes: Sequence[Node], rollout: str, journal: Path, kube_context: str | None
) -> dict[str, Failure | None]:
    """Undo the cordons that a dead rollout has left; return those nodes, and why one failed."""
    recorded = _recorded_options(journal, rollout)
    context = kube_context or (recorded.kube_context if recorded is not None else None)
    return _lift_recorded(nodes, rollout, context, recorded)


def _lift_recorded(
    nodes: Sequence[Node], rollout: str, kube_context: str | None, recorded: RolloutOptions | None
) -> dict[str, Failure | None]:
    """Undo the cordons that a rollout has left; `recorded` are its options, if they are known.

    A rollout that began without cordons may have them from a resume. Only failures of its cluster
    are of no interest then.
    """
    ends = lift_left_cordons(nodes, rollout, kube_context)
    if recorded is None or recorded.cordons:
        return ends
    return {name: failure for name, failure in ends.items() if failure is None}


def _recorded_options(path: Path, rollout: str) -> RolloutOptions | None:
    """Return the options with which a rollout began; None if the journal does not have it."""
    if not is_there(path):
        return None
    journal = Journal(path, read_only=True)
    if not journal.knows(rollout):
        return None
    flags = journal.rollout(rollout).about.get("flags")
    return None if flags is None else RolloutOptions.read(flags)


def lift_left_cordons(
    nodes: Sequence[Node], rollout: str, kube_context: str | None
) -> dict[str, Failure | None]:
    """Undo the cordons that a dead rollout has left; return those nodes, and why one failed.

    A cluster that cannot be used fails all its nodes.
    """
    ends: dict[str, Failure | None] = {}
    for member in connect_clusters(nodes, kube_context) or ():
        if member.failure is not None:
            ends |= dict.fromkeys(member.names, member.failure)
        marked = dict(_marked(member, rollout))
        ends |= lift_cordons(marked, rollout)
    return ends


def _marked(member: NodeCluster, rollout: str) -> Iterator[tuple[str, DrainTarget]]:
    """Yield the nodes that have a rollout's mark."""
    for name, node in member.nodes.items():
        mark = cordon_mark(node.annotations)
        if mark is not None and mark.rollout == rollout and member.cluster is not None:
            yield name, DrainTarget(member.cluster, node.name)

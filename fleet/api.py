"""The Python interface of fleet: load both files, survey nodes, plan a rollout, drive it.

No function here prints or asks. A failure on a node is a value (`NodePlan.failure`,
`NodeOutcome.failure`); mistakes in files and patterns are exceptions, `fleet.errors.FleetError`.
"""

from __future__ import annotations

import getpass
import secrets
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TypeVar

from fleet.config.load import Loaded, load_files
from fleet.core.model.inventory import Inventory
from fleet.core.model.mirror import Foreign
from fleet.core.model.outcome import NodeOutcome
from fleet.core.model.secret import Secret
from fleet.core.plan.node_plan import NodePlan
from fleet.core.render.desired import desired_config_by_node
from fleet.core.rollout.batches import cut_batches, group_limits, parse_batches, parse_size
from fleet.core.rollout.control_plane import control_plane_limit
from fleet.core.rollout.policy import Policy
from fleet.core.rollout.state import NodeMoved, begin
from fleet.core.selection.patterns import select
from fleet.engine import driver as engine
from fleet.engine.control_plane import PlaneCheck
from fleet.engine.duplicate_nodes import refuse_duplicate_nodes
from fleet.engine.locks import release_held
from fleet.engine.survey import Surveyed, already_done
from fleet.engine.survey import survey as survey_nodes
from fleet.engine.workers.base import ThreadPool
from fleet.node.script import Privilege
from fleet.node.work_order import Access, Deadlines, WorkOrder
from fleet.ssh import SshSettings

_Result = TypeVar("_Result")

__all__ = ["Access", "Rollout", "access", "drive", "load", "plan", "survey"]


def load(
    inventory: str | PathLike[str] = "inventory.yaml", mirrors: str | PathLike[str] = "mirrors.yaml"
) -> Loaded:
    """Read both files; raise ConfigErrors with every mistake of both.

    The inventory may have any form that `fleet -i` takes. `Loaded.warnings` holds what works but
    should be looked at.
    """
    return load_files(Path(inventory), Path(mirrors))


def access(
    ssh_config: str | PathLike[str] | None = None,
    *,
    sudo_password: str | None = None,
    seconds: float = 10,
) -> Access:
    """Return how to connect: an ssh_config, the sudo password, and a connection timeout.

    Without `ssh_config` the user's own is read. `seconds` is the time to wait for a connection.
    """
    password = Secret(sudo_password) if sudo_password is not None else None
    config = str(ssh_config) if ssh_config is not None else None
    return Access(ssh=SshSettings(config, seconds), privilege=Privilege(password=password))


def survey(
    files: Loaded,
    limit: str | None = None,
    *,
    how: Access | None = None,
    foreign: str = "adopt",
    parallel: int = 32,
) -> list[Surveyed]:
    """Read nodes and plan each of them, changing nothing; return them in inventory order.

    `limit` is a pattern as --limit takes it, without `@file`. `foreign` is adopt, keep or
    overwrite. `parallel` is how many nodes are read at once. A node that cannot be read has no
    facts, and its plan has a failure.
    """
    nodes = select(files.inventory, limit, None, _no_file)
    desired = desired_config_by_node(files.inventory, files.mirrors, Foreign(foreign))
    pool = ThreadPool(parallel)
    try:
        surveys = list(survey_nodes(nodes, desired, how or Access(), pool=pool))
    finally:
        pool.close()
    positions = {node.name: number for number, node in enumerate(nodes)}
    return refuse_duplicate_nodes(
        sorted(surveys, key=lambda surveyed: positions[surveyed.node.name])
    )


def _no_file(path: str) -> str:
    raise ValueError(f"@{path}: a pattern from Python cannot name a file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """The input of `drive`: every node's plan, the batches, and the policy.

    `settled` holds the nodes that are in no batch: they are as they should be already, or their
    planning failed.
    """

    id: str
    plans: Mapping[str, NodePlan]
    batches: tuple[tuple[str, ...], ...]
    policy: Policy
    settled: Mapping[str, NodeOutcome] = field(default_factory=dict)
    verify: bool = True
    deadlines: Deadlines = field(default_factory=Deadlines)
    inventory: Inventory | None = None
    """All nodes. Control plane nodes among them are checked before another one is changed."""


def plan(
    found: Iterable[Surveyed],
    inventory: Inventory,
    *,
    batch: str = "1,25%",
    max_failures: str = "0",
    verify: bool = True,
    deadlines: Deadlines | None = None,
) -> Rollout:
    """Cut surveyed nodes into batches, as the flags of the same names do; change nothing.

    A node whose containers a restart would end is refused, as without --disrupt-workloads.
    """
    plans = {surveyed.node.name: _guarded(surveyed.plan) for surveyed in found}
    done = {
        name: outcome
        for name, node_plan in plans.items()
        if (outcome := already_done(node_plan)) is not None
    }
    waiting = [name for name in plans if name not in done]
    waiting.sort(key=lambda name: plans[name].node.order)
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    plane = control_plane_limit(
        inventory, {key: node_plan.availability for key, node_plan in plans.items()}, name
    )
    size = parse_size(max_failures, "max_failures")
    allowed = len(plans) * size.number // 100 if size.percent else size.number
    return Rollout(
        id=name,
        plans=plans,
        batches=cut_batches(waiting, parse_batches(batch), plane.nodes, plane.most),
        policy=Policy(max_failures=allowed, limits=group_limits(inventory), quorum=plane),
        settled=done,
        verify=verify,
        deadlines=deadlines or Deadlines(),
        inventory=inventory,
    )


def _guarded(plan: NodePlan) -> NodePlan:
    if plan.restart.risk is None or plan.failure is not None:
        return plan
    return replace(plan, failure=plan.restart.risk)


def drive(
    rollout: Rollout,
    *,
    how: Access | None = None,
    observe: Callable[[NodeOutcome], None] | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> dict[str, NodeOutcome]:
    """Carry out a rollout with the same gates and guards as the command; return all outcomes.

    `observe` is called with every node's outcome, in the thread of the caller. `stopping` is
    called before each batch. An exception from either of them stops the rollout as `stopping`
    does, and is raised at the end. No journal is written: `fleet history` and `fleet resume` do
    not see this rollout. If this process crashes, the nodes' guards revert unconfirmed changes.
    """
    outcomes = dict(rollout.settled)
    errors: list[Exception] = []

    def safely(call: Callable[[], _Result], instead: _Result) -> _Result:
        try:
            return instead if errors else call()
        except Exception as error:  # noqa: BLE001 - the caller's error; nodes are released first
            errors.append(error)
            return instead

    def record(events: Sequence[engine.JournaledEvent]) -> None:
        for event, outcome in events:
            if isinstance(event, NodeMoved) and outcome is not None:
                merged = outcome.after(outcomes.get(outcome.node))
                outcomes[outcome.node] = merged
                if observe is not None:
                    safely(partial(observe, merged), None)

    orders = {
        name: _order(rollout, node_plan, how or Access())
        for name, node_plan in rollout.plans.items()
    }
    pool = ThreadPool(32)
    check = _plane_check(rollout, how or Access(), pool)
    hooks = engine.DriverHooks(record, lambda: safely(stopping, True), pool, check)
    settled = {name: outcome.status for name, outcome in rollout.settled.items()}
    state = begin(rollout.batches, settled)
    try:
        result = engine.drive(state, rollout.policy, orders, hooks)
        released = release_held(outcomes, orders.__getitem__, pool)
        outcomes |= {outcome.node: outcome for outcome in released}
    finally:
        pool.close()
    if errors:
        raise errors[0]
    return {
        name: outcomes.get(name) or NodeOutcome(node=name, status=result.state.nodes[name].shown)
        for name in rollout.plans
    }


def _plane_check(rollout: Rollout, access: Access, pool: ThreadPool) -> PlaneCheck | None:
    if rollout.inventory is None:
        return None
    return PlaneCheck(
        inventory=rollout.inventory,
        rollout=rollout.id,
        access=access,
        pool=pool,
        surveyed={name: plan.availability for name, plan in rollout.plans.items()},
    )


def _order(rollout: Rollout, plan: NodePlan, access: Access) -> WorkOrder:
    return WorkOrder(
        plan=plan,
        rollout=rollout.id,
        operator=f"{getpass.getuser()}@{socket.gethostname()}",
        access=access,
        verify=rollout.verify,
        deadlines=rollout.deadlines,
    )

"""Verification of nodes as they are now: pulls of the images that mirrors.yaml names."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from fleet.actions.session import Session
from fleet.actions.survey import desired_config, survey
from fleet.actions.verify_pods import Kubelets, open_kubelets
from fleet.config.load import Loaded
from fleet.core.failure import Failure
from fleet.core.masking.known import clean_outcome
from fleet.core.model.facts import NodeFacts
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.model.owned_state import STATE_FILE
from fleet.core.plan.node_plan import NodePlan, PlannedFiles
from fleet.core.plan.planner import config_before, daemon_access
from fleet.core.plan.pull_tests import PullTest, pull_tests
from fleet.core.render.base import DesiredConfig
from fleet.core.rollout import defaults
from fleet.core.rollout.batches import parse_size
from fleet.core.selection.sample import Sample, sample
from fleet.engine.bugs import isolate_bugs
from fleet.engine.survey import NodeSurvey, examine, verify_all
from fleet.engine.workers.base import ThreadPool, map_nodes
from fleet.errors import FleetError
from fleet.kubernetes.pull_pods import PodOptions
from fleet.node.verify.run import VerifyOrder
from fleet.node.verify.selftest import SelfTestOrder, self_test
from fleet.node.work_order import Deadlines

_MOST_SERVED = 16
"""The most nodes in a self-test at the same time: this process serves the image to all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """The options of a verification.

    `pull_seconds` limits each pull. `sample` is a number or a percentage of nodes; None for all.
    `per_mirror` limits the nodes that pull from one mirror at the same time. With `pods` kubelet
    pulls, in the cluster of `kube_context` or in those of the inventory.
    """

    pull_seconds: int = defaults.PULL
    liveness: bool = True
    sample: str | None = None
    per_mirror: int = defaults.PER_MIRROR
    pods: PodOptions | None = None
    kube_context: str | None = None


def verify(
    files: Loaded, nodes: Sequence[Node], options: VerifyOptions, session: Session
) -> tuple[list[NodeOutcome], Sample | None]:
    """Pull the verification images on every node, with its present config; change nothing.

    Return the outcomes, and the sample if the options ask for one.
    """
    chosen = _sample(nodes, options.sample)
    nodes = tuple(node for node in nodes if chosen is None or node.name in set(chosen.names))
    session = session.ready(nodes)
    if options.pods is None:
        orders = _orders(files, nodes, options, session)
        return _verified(files, nodes, orders, session), chosen
    if not isinstance(session.pool, ThreadPool):
        raise FleetError("--pod needs --engine threads: this process asks the cluster for pods")
    with open_kubelets(nodes, options.pods, options.kube_context, session.ui.message) as kubelets:
        orders = [_by_pod(order, kubelets) for order in _orders(files, nodes, options, session)]
        return _verified(files, nodes, orders, session), chosen


def _orders(
    files: Loaded, nodes: Sequence[Node], options: VerifyOptions, session: Session
) -> list[VerifyOrder]:
    """Survey the nodes, and return the orders to verify them."""
    desired = desired_config(files.inventory, files.mirrors)
    deadlines = Deadlines(pull=options.pull_seconds, guard=0, per_mirror=options.per_mirror)

    def order(result: NodeSurvey) -> VerifyOrder:
        plan, tests = plan_as_is(result, lambda result: tests_of(result, desired(result.node)))
        return VerifyOrder(plan, session.access, tests, deadlines, options.liveness)

    return [order(result) for result in survey(files, nodes, session)]


def _by_pod(order: VerifyOrder, kubelets: Kubelets) -> VerifyOrder:
    """Return the order with the node's kubelet, which pulls; without one the node has failed."""
    name = order.node.name
    failure = order.plan.failure or kubelets.failures.get(name)
    return replace(order, plan=replace(order.plan, failure=failure), pods=kubelets.nodes.get(name))


def _verified(
    files: Loaded, nodes: Sequence[Node], orders: Sequence[VerifyOrder], session: Session
) -> list[NodeOutcome]:
    known = session.secrets(files.mirrors)
    ends = verify_all(orders, pool=session.pool)
    outcomes = {outcome.node: clean_outcome(outcome, known) for outcome in ends}
    return [outcomes[node.name] for node in nodes]


def _sample(nodes: Sequence[Node], size: str | None) -> Sample | None:
    if size is None:
        return None
    count = parse_size(size, "--sample").of(len(nodes))
    return sample([node.name for node in nodes], count)


def tests_of(result: NodeSurvey, desired: DesiredConfig) -> tuple[PullTest, ...]:
    """Return the verification pulls of a node, for its containerd release."""
    version = result.facts.daemon.version if result.facts is not None else None
    return tuple(pull_tests(desired.registries, result.plan.config.hosts_directory, version))


def plan_as_is(
    result: NodeSurvey, tests: Callable[[NodeSurvey], Iterable[PullTest]]
) -> tuple[NodePlan, tuple[PullTest, ...]]:
    """Return a plan without changes, and the pulls that verify the node as it is.

    A node whose planning failed is verified as well. A node that was not read keeps its failure.
    """
    examined, plan = examine(result, _without_changes)
    pulls = isolate_bugs(lambda: tuple(tests(result)), result.node.name)
    if isinstance(pulls, Failure):
        return NodePlan(node=result.node, failure=pulls), ()
    return plan or examined.plan, pulls


def _without_changes(facts: NodeFacts, plan: NodePlan) -> NodePlan:
    return NodePlan(
        node=plan.node,
        strategy=plan.strategy,
        containerd=plan.containerd,
        daemon=daemon_access(facts),
        files=PlannedFiles(state_before=facts.files.get(STATE_FILE)),
        config=replace(
            config_before(facts),
            hosts_directory=plan.config.hosts_directory,
            in_force=not plan.changes and not facts.edited_not_loaded,
        ),
    )


def self_test_nodes(nodes: Sequence[Node], session: Session, *, seconds: int) -> list[NodeOutcome]:
    """Serve a tiny image to every node through its SSH connection, and make the node pull it."""
    session = session.ready(nodes)
    orders = [SelfTestOrder(node, session.access, secrets.token_hex(8), seconds) for node in nodes]
    outcomes: dict[str, NodeOutcome] = {}
    for order, result in map_nodes(self_test, orders, session.pool, most=_MOST_SERVED):
        outcomes[order.node.name] = _self_tested(order, result)
        if len(outcomes) % 50 == 0 or len(outcomes) == len(nodes):
            session.ui.message(f"self-test {len(outcomes)}/{len(nodes)}")
    return [outcomes[node.name] for node in nodes]


def _self_tested(order: SelfTestOrder, result: NodeOutcome | Failure) -> NodeOutcome:
    if isinstance(result, Failure):
        return NodeOutcome(node=order.node.name, status=NodeStatus.FAILED, failure=result)
    return result

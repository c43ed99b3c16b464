"""The strategy for each kind of node."""

from __future__ import annotations

import pytest

from fleet.core.model.facts import NodeFacts
from fleet.core.render.strategies import STRATEGIES
from tests.support.build import facts_with, owned_by

NODES: dict[str, tuple[NodeFacts, list[str]]] = {
    "1.4": (facts_with({}, "1.4.13"), ["legacy"]),
    "1.5": (facts_with({}, "1.5.0"), ["certs.d"]),
    "2.3": (facts_with({}, "2.3.4"), ["certs.d"]),
    "k3s": (owned_by(facts_with({}), "k3s"), ["registries.yaml", "certs.d"]),
    "RKE2": (owned_by(facts_with({}), "rke2"), ["registries.yaml", "certs.d"]),
    "k0s": (owned_by(facts_with({}), "k0s"), ["k0s drop-in", "certs.d"]),
    "MicroK8s": (owned_by(facts_with({}), "microk8s"), ["snap", "certs.d"]),
    "Canonical Kubernetes": (owned_by(facts_with({}), "canonical-k8s"), ["snap", "certs.d"]),
    "k3s with an old containerd": (
        owned_by(facts_with({}, "1.4.13"), "k3s"),
        ["registries.yaml", "legacy"],
    ),
    "no containerd": (NodeFacts(), []),
}


@pytest.mark.parametrize(("facts", "names"), NODES.values(), ids=list(NODES))
def test_the_strategies_that_fit_a_node_the_best_first(facts: NodeFacts, names: list[str]) -> None:
    assert [strategy.name for strategy in STRATEGIES if strategy.supports(facts)] == names


def test_every_strategy_has_a_name_of_its_own() -> None:
    assert len({strategy.name for strategy in STRATEGIES}) == len(STRATEGIES)

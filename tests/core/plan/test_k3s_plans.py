"""Plans of k3s nodes: their runtime, their tools, and what else changes them."""

from __future__ import annotations

from dataclasses import replace

from fleet.core.model.facts import MachineFacts, NodeFacts, PathFacts, RancherFacts, UnitState
from fleet.core.model.node import Node
from fleet.core.plan.planner import daemon_access, observations, plan_node
from fleet.core.render.base import DesiredConfig
from tests.support.build import facts_with, healthy, owned_by, registry

NODE = Node(name="a", host="a")
DESIRED = DesiredConfig((registry("docker.io", "https://m.test"),))


def k3s() -> NodeFacts:
    """Return a healthy node of k3s."""
    return owned_by(healthy(facts_with({})), "k3s")


def test_an_edit_that_k3s_has_not_read_is_noted() -> None:
    path = "/etc/rancher/k3s/registries.yaml"
    unit = UnitState(active="active", sub="running", started=100.5)
    facts = replace(k3s(), paths=PathFacts(changed_at={path: 200}))
    facts = replace(facts, daemon=replace(facts.daemon, unit=unit, unit_name="k3s-node"))

    assert [*observations(facts)] == [
        f"{path} was edited after k3s-node started; not active until a restart"
    ]


def test_a_node_of_k3s_with_docker_is_refused() -> None:
    facts = k3s()
    facts = replace(facts, daemon=replace(facts.daemon, rancher=RancherFacts(docker=True)))

    failure = plan_node(NODE, facts, DESIRED).failure

    assert failure is not None
    assert failure.message == "k3s runs containers with Docker, not with its containerd"


def test_the_tools_of_k3s_and_a_replaced_program_are_part_of_a_plan() -> None:
    facts = k3s()
    rancher = RancherFacts(tools="/data/bin", program="/k3s", replaced=True)
    facts = replace(facts, daemon=replace(facts.daemon, rancher=rancher))

    assert daemon_access(facts).tools == "/data/bin"
    assert [*observations(facts)] == ["/k3s was replaced after containerd started"]


def test_a_node_that_rancher_provisioned_is_told() -> None:
    mark = "/etc/systemd/system/rancher-system-agent.service"
    facts = replace(k3s(), machine=MachineFacts(marks=(mark,)))

    plan = plan_node(NODE, facts, DESIRED)

    assert [(found.code, found.where) for found in plan.findings] == [("rancher-managed", mark)]
    assert plan.config.generated is not None

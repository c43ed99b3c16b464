"""One machine under several names: neither name is changed while both are meant."""

from __future__ import annotations

from dataclasses import replace

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan
from fleet.engine.duplicate_nodes import refuse_duplicate_nodes
from fleet.engine.survey import NodeSurvey
from tests.node.record import ANSWERS
from tests.node.test_probe import facts_of

ANSWER = (ANSWERS / "trixie.txt").read_text()


def found(name: str, machine: str) -> NodeSurvey:
    facts = facts_of(ANSWER)
    facts = replace(facts, machine=replace(facts.machine, id=machine))
    node = Node(name=name, host=name)
    return NodeSurvey(node, facts, NodePlan(node=node))


def refused(*names: tuple[str, str]) -> dict[str, str]:
    nodes = refuse_duplicate_nodes([found(*each) for each in names])
    return {each.node.name: each.plan.failure.message for each in nodes if each.plan.failure}


def test_every_name_of_a_machine_is_refused_and_names_the_others() -> None:
    told = refused(("a", "boot id n"), ("b", "boot id n"), ("c", "boot id m"), ("d", "boot id n"))

    assert list(told) == ["a", "b", "d"]
    assert told["a"] == "this node is the same machine as b, d in the inventory"
    assert told["d"] == "this node is the same machine as a, b in the inventory"


def test_nodes_that_do_not_say_who_they_are_are_taken_for_different_ones() -> None:
    assert refused(("a", ""), ("b", "")) == {}


def test_a_node_that_failed_already_keeps_its_reason() -> None:
    node = Node(name="b", host="b")
    failure = Failure(FailureKind.SUDO, Step.PROBE, "no sudo", "allow it")
    one, other = refuse_duplicate_nodes(
        [found("a", "x"), NodeSurvey(node, None, NodePlan(node=node, failure=failure))]
    )

    assert one.plan.failure is None
    assert other.plan.failure is failure


def test_machines_are_told_apart_by_all_that_makes_them_one() -> None:
    def machine(line: str) -> str:
        return facts_of(ANSWER.replace("hostname\t", f"machine\t={line}\nhostname\t")).machine.id

    assert machine("boot id name") == "boot id name"
    assert machine(" id name") == machine("boot  name") == machine("a b c d") == machine("") == ""

"""Nodes that are alike: planned once, and each with what is its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.node import Node
from fleet.core.plan.cache import PlanCache
from fleet.core.plan.planner import plan_node
from tests.node.record import ANSWERS
from tests.node.test_probe import WISHES, facts_of

SUITES = ("bullseye", "bookworm", "trixie", "forky")
CONFIG = "/etc/containerd/config.toml"


def node(name: str) -> Node:
    return Node(name=name, host=name)


def read(suite: str) -> NodeFacts:
    return facts_of((ANSWERS / f"{suite}.txt").read_text())


def another(facts: NodeFacts) -> NodeFacts:
    """Return what a node of the same make says: another name, other processes, other times."""
    unit = replace(facts.daemon.unit, main_pid=4711, started=(facts.daemon.unit.started or 0) + 60)
    times = {path: at + 60 for path, at in facts.paths.changed_at.items()}
    return replace(
        facts,
        machine=replace(facts.machine, hostname="b", id="b"),
        daemon=replace(facts.daemon, unit=unit),
        paths=replace(facts.paths, changed_at=times),
    )


@pytest.mark.parametrize("suite", SUITES)
def test_two_of_a_kind_are_planned_once_and_as_each_alone_would_be(suite: str) -> None:
    alike, ours, theirs = PlanCache(), read(suite), another(read(suite))

    first, first_plan = alike.plan(node("a"), ours, WISHES)
    second, second_plan = alike.plan(node("b"), theirs, WISHES)

    assert (first, second) == (ours, theirs)
    assert first_plan == plan_node(node("a"), ours, WISHES)
    assert second_plan == plan_node(node("b"), theirs, WISHES)
    assert second_plan.changes is first_plan.changes
    assert second.files is first.files
    assert second.config.dump is first.config.dump


DIFFERENT = {
    "a file": lambda facts: replace(
        facts, files={**facts.files, CONFIG: ManagedFile(b"version = 2\n")}
    ),
    "an edit that is not loaded": lambda facts: replace(
        facts,
        paths=replace(facts.paths, changed_at={**facts.paths.changed_at, CONFIG: 1 << 40}),
    ),
    "an ill daemon": lambda facts: replace(facts, cri=replace(facts.cri, state="error")),
    "a daemon that is down": lambda facts: replace(
        facts,
        daemon=replace(facts.daemon, unit=replace(facts.daemon.unit, active="inactive")),
    ),
    "running containers": lambda facts: replace(facts, daemon=replace(facts.daemon, tasks=3)),
}


@pytest.mark.parametrize("other", DIFFERENT.values(), ids=DIFFERENT)
def test_what_decides_keeps_nodes_apart(other: object) -> None:
    alike, ours = PlanCache(), read("trixie")
    assert callable(other)
    theirs = other(ours)

    _, first = alike.plan(node("a"), ours, WISHES)
    _, second = alike.plan(node("b"), theirs, WISHES)

    assert second == plan_node(node("b"), theirs, WISHES)
    assert second.changes is not first.changes


def test_other_wishes_are_another_plan() -> None:
    alike, facts = PlanCache(), read("trixie")

    alike.plan(node("a"), facts, WISHES)
    _, plan = alike.plan(node("a"), facts, replace(WISHES, registries=()))

    assert plan == plan_node(node("a"), facts, replace(WISHES, registries=()))

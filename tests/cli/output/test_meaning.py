"""The meaning of plans as text: one line a registry, with its nodes and restarts."""

from __future__ import annotations

import io

from rich.console import Console

from fleet.cli.output.meaning import print_meaning
from fleet.core.masking import stars
from fleet.core.model.change import Change, ManagedFile, RestartCost
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan, PlannedRestart

PATH = "/etc/containerd/certs.d/quay.io/hosts.toml"
RESTART = PlannedRestart(cost=RestartCost.RESTART)


def hosts(*names: str) -> ManagedFile:
    return ManagedFile("".join(f'[host."https://{name}"]\n' for name in names).encode())


def plan(name: str, *after: str, restart: PlannedRestart | None = None) -> NodePlan:
    return NodePlan(
        node=Node(name=name, host=name),
        changes=(Change(PATH, hosts("old.example"), hosts(*after)),),
        restart=restart or PlannedRestart(),
    )


def printed(*plans: NodePlan) -> list[str]:
    out = Console(file=io.StringIO(), width=200)
    print_meaning(plans, out, stars)
    return str(out.file.getvalue()).splitlines()  # type: ignore[attr-defined]


def test_a_registry_is_a_line_with_its_nodes_and_restarts() -> None:
    new = ("mirror.example", "old.example")
    plans = [plan(f"w{number}", *new) for number in range(1, 7)]
    plans += [plan(f"w{number}", *new, restart=RESTART) for number in (7, 8)]

    assert printed(*plans) == ["quay.io: + mirror.example first \u00b7 8 nodes, 2 restarts"]


def test_nodes_with_other_effects_are_named() -> None:
    plans = [plan("w1", "old.example", "a.example"), plan("w2", "b.example", restart=RESTART)]

    assert printed(*plans) == [
        "quay.io: + a.example last \u00b7 1 node (w1)",
        "quay.io: + b.example first, - old.example \u00b7 1 node, 1 restart (w2)",
    ]


def test_registries_with_the_same_change_share_a_line() -> None:
    changes = tuple(
        Change(f"/etc/containerd/certs.d/{name}/hosts.toml", hosts("m"), hosts("m", "n"))
        for name in ("gcr.io", "quay.io")
    )

    assert printed(NodePlan(node=Node(name="w1", host="w1"), changes=changes)) == [
        "gcr.io, quay.io: + n last \u00b7 1 node"
    ]


def test_a_plan_without_changes_means_nothing() -> None:
    assert printed(NodePlan(node=Node(name="w1", host="w1"))) == []

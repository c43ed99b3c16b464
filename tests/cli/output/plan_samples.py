"""Plans for captures: nodes that change, nodes that cannot be reached, and an undo."""

from __future__ import annotations

from dataclasses import replace

from fleet.cli.output.plan import show_plans
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.masking import stars
from fleet.core.model.change import Change, ManagedFile, RestartCost
from fleet.core.model.node import Node
from fleet.core.model.node_state import NodeState
from fleet.core.plan.node_plan import NodePlan, PlannedRestart
from tests.support.settings import TEXT

TIMED_OUT = Failure(
    FailureKind.CONNECT,
    Step.CONNECT,
    "connection timed out (2 s)",
    "check that the node is up, and that its address is right",
)
WRONG_SUDO = Failure(
    FailureKind.SUDO, Step.SUDO, "sudo refused the password", "give the right password with -K"
)
FOLDER = "/etc/containerd/certs.d"
CONFIG = "/etc/containerd/config.toml"
ROLLOUT = "20261127-101500-a1b2"


def _hosts(*urls: str, timeout: str = "") -> ManagedFile:
    tables = "".join(
        f'\n[host."{url}"]\n  capabilities = ["pull", "resolve"]\n{timeout}' for url in urls
    )
    return ManagedFile(f'server = "https://quay.io"\n{tables}'.encode())


def plan_of(name: str, *changes: Change, release: str | None = "1.7.24") -> NodePlan:
    strategy = "certs.d" if release else None
    return NodePlan(
        node=Node(name=name, host=name), strategy=strategy, containerd=release, changes=changes
    )


def unread_plan(number: int) -> NodePlan:
    failure = replace(TIMED_OUT, address=f"ops@10.0.2.{number}:22")
    plan = plan_of(f"edge{number:03}", release=None)
    return replace(plan, failure=failure, state=NodeState.UNREACHABLE)


def _plans() -> list[NodePlan]:
    old, new = "https://quay.mirror.example", "https://registry-mirror.beijing.example"
    plain = Change(f"{FOLDER}/quay.io/hosts.toml", _hosts(old), _hosts(new, old))
    dialing = Change(
        f"{FOLDER}/quay.io/hosts.toml",
        _hosts(old),
        _hosts(new, old, timeout='  dial_timeout = "3s"\n'),
    )
    restart = PlannedRestart(cost=RestartCost.RESTART)
    return [
        *(
            replace(plan_of(f"w{number}", plain), state=NodeState.OUTDATED)
            for number in range(1, 6)
        ),
        replace(plan_of("cp1", plain), restart=restart, state=NodeState.DRIFTED),
        *(plan_of(f"n{number}", dialing, release="2.1.5") for number in (1, 2)),
        *map(unread_plan, range(1, 193)),
    ]


def plan() -> None:
    """Print the plan of 200 nodes, of which 192 cannot be reached."""
    show_plans(_plans(), TEXT, stars)


def stat() -> None:
    """Print the meaning of the same plan alone."""
    show_plans(_plans(), TEXT, stars, stat=True)


def undo() -> None:
    """Print the plan of an undo that finds work on two of three nodes."""
    back = Change(f"{FOLDER}/quay.io/hosts.toml", _hosts("https://b.example"), None)
    notes = (f"undoes {ROLLOUT} of 2026-11-27 10:15 UTC: OPS-12: a mirror for the Beijing site",)
    plans = [replace(plan_of(f"w{n}", back), strategy="rollback", notes=notes) for n in (1, 2)]
    nothing = replace(plan_of("w3"), strategy="rollback", notes=("nothing to undo",))
    show_plans([*plans, nothing], TEXT, stars)

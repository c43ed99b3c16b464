"""A node under test, fake or real, and the orders that its tests give."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import CompletedProcess
from typing import Any, Protocol

from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Mirror, Registry
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.planner import plan_node
from fleet.core.render.base import DesiredConfig
from fleet.node.activate import Applied, parse_applied
from fleet.node.bundle import activate_script, bundle
from fleet.node.converge import converge
from fleet.node.probe_node import ProbeOrder, probe
from fleet.node.run_script import run_script
from fleet.node.stage import stage
from fleet.node.work_order import Access, Deadlines, WorkOrder
from fleet.ssh import connect

CONFIG = "/etc/containerd/config.toml"
PENDING = "/var/lib/fleet/pending"
LAST = "/var/lib/fleet/last"
LOCK = "/run/fleet/lock"
GUARD = 8
"""Seconds until a guard fires: more than an activation takes on a real node."""
_WRAPPER = """#!/bin/sh
real=$(PATH=/usr/local/bin:/usr/bin:/bin command -v {command})
case "$*" in {pattern})
    if mkdir /run/acted 2>/dev/null; then
        {action}
    fi ;;
esac
exec "$real" "$@"
"""


class Machine(Protocol):
    """The operations that tests need on a node, fake or real."""

    def sh(self, script: str, *, check: bool = True, seconds: float = 60) -> CompletedProcess[str]:
        """Run a shell script as root on the node, not over SSH."""
        ...

    def digests(self, *paths: str) -> dict[str, str]:
        """Describe every file below absolute paths: mode, owner, SHA-256 or link target."""
        ...

    def reboot(self) -> None:
        """Pull the plug and boot again."""
        ...


def desired(*endpoints: str) -> DesiredConfig:
    """Return a config that serves docker.io by these endpoints."""
    mirrors = tuple(Mirror(url=url) for url in endpoints)
    server = "https://registry-1.docker.io"
    return DesiredConfig((Registry(name="docker.io", server=server, mirrors=mirrors),))


WANTED = desired("https://m.example")


@dataclass(frozen=True)
class Target:
    """A node under test.

    `hang_up` is the command on it that breaks all connections, `wrappers` a folder from which its
    scripts take commands first.
    """

    name: str
    suite: str
    machine: Machine
    node: Node
    access: Access
    hang_up: str
    wrappers: str
    fake: bool

    # -- steps -------------------------------------------------------------------------------

    def facts(self, walk: str = "") -> NodeFacts:
        """Probe the node."""
        facts = probe(ProbeOrder(self.node, self.access, walk=walk))
        assert isinstance(facts, NodeFacts), facts
        return facts

    def plan(self, wanted: DesiredConfig = WANTED) -> NodePlan:
        """Probe the node and plan its change, which must be possible."""
        plan = plan_node(self.node, self.facts(), wanted)
        assert plan.failure is None, plan.failure
        return plan

    def order(self, plan: NodePlan | None = None, **about: Any) -> WorkOrder:
        """Return the order for a plan, without pulls and without a pause before it is confirmed."""
        usual = {"rollout": "r1", "operator": "tester", "verify": False}
        deadlines = Deadlines(soak=0, health=about.pop("health", 10), guard=about.pop("guard", 180))
        return WorkOrder(
            plan=plan or self.plan(),
            access=self.access,
            deadlines=deadlines,
            **{**usual, **about},
        )

    def staged(self, plan: NodePlan | None = None, **about: Any) -> WorkOrder:
        """Stage a plan; return its order."""
        order = self.order(plan, **about)
        outcome = stage(order)
        assert outcome.status is NodeStatus.STAGED, outcome.failure
        return order

    def activate(self, order: WorkOrder) -> Applied:
        """Activate a staged change, and neither verify nor confirm it."""
        with connect(order.node, order.access.ssh) as remote:
            script = activate_script(order, bundle(order))
            reply = run_script(remote, script, order.access.for_node(order.node))
        return parse_applied(reply, order)

    def converged(self, plan: NodePlan | None = None, **about: Any) -> WorkOrder:
        """Bring the node to a plan; return the order."""
        order = self.staged(plan, **about)
        outcome = converge(order)
        assert outcome.status is NodeStatus.CONVERGED, outcome.failure
        return order

    # -- a look and a hand inside ------------------------------------------------------------

    def etc(self) -> dict[str, str]:
        """Describe the node's files below /etc."""
        return self.machine.digests("/etc")

    def read(self, path: str) -> str:
        """Return a small file without its line end; empty if there is none."""
        return self.machine.sh(f"cat {path} 2>/dev/null", check=False).stdout.strip()

    def main_pid(self) -> str:
        """Return the id of the daemon's process."""
        return self.machine.sh("systemctl show containerd -p MainPID").stdout.strip()

    def held(self) -> bool:
        """Return whether a rollout's lock, an unconfirmed change or a guard is on the node."""
        guard = "/etc/systemd/system/fleet-guard.service"
        test = " || ".join(f"test -e {path}" for path in (LOCK, PENDING, guard))
        return self.machine.sh(test, check=False).returncode == 0

    def pass_time(self, seconds: float) -> None:
        """Let time pass on the node: a fake one has a clock that is moved."""
        if self.fake:
            self.machine.pass_time(seconds)  # type: ignore[attr-defined]
        else:
            time.sleep(seconds)

    def wait_for_guard(self) -> None:
        """Let the guard's time pass, and wait until no change is pending."""
        self.pass_time(GUARD)
        until = time.monotonic() + 45
        while self.machine.sh(f"test -e {PENDING}", check=False).returncode == 0:
            assert time.monotonic() < until, self.machine.sh(f"ls -l {PENDING}").stdout
            time.sleep(0.1)

    @contextmanager
    def acting(self, command: str, pattern: str, action: str) -> Iterator[None]:
        """Run a shell action once, before the first call of a command that matches a pattern."""
        text = _WRAPPER.format(command=command, pattern=pattern, action=action)
        path = f"{self.wrappers}/{command}"
        self.machine.sh(
            f"rm -rf /run/acted; printf %s {shlex.quote(text)} >{path}; chmod 755 {path}"
        )
        try:
            yield
            acted = self.machine.sh("test -d /run/acted", check=False).returncode == 0
            assert acted, f"{command} {pattern} was never called"
        finally:
            self.machine.sh(f"rm -f {path}; rm -rf /run/acted")


def ending(outcome: NodeOutcome) -> tuple[str, str, str]:
    """Return an outcome's status, and the kind and step of its failure."""
    if outcome.failure is None:
        return outcome.status.value, "", ""
    return outcome.status.value, outcome.failure.kind.value, str(outcome.failure.step)

"""The work order of one node: its plan with everything that the work needs. It can be pickled."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleet.core.model.change import RestartCost
from fleet.core.model.node import Node
from fleet.core.plan.planner import NodePlan
from fleet.node.script import Privilege
from fleet.ssh import SshSettings, login_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long the parts of a pass may take, in seconds.

    `soak` follows a restart. `guard` counts from the swap: a change that nobody has confirmed by
    then is undone by the node itself; 0 goes without. `per_mirror` bounds no time: so many nodes
    pull from one mirror at once.
    """

    restart: int = 60
    health: int = 30
    pull: int = 120
    soak: int = 6
    guard: int = 180
    per_mirror: int = 16

    @property
    def stage(self) -> int:
        """Bound the staging on the node: two dumps of 15 s and the unpacking."""
        return 60

    @property
    def activate(self) -> int:
        """Bound the activation on the node: there and, where it fails, all the way back."""
        return 3 * (self.restart + self.health) + 60

    @property
    def settle(self) -> int:
        """Bound a confirmation or a way back on the node."""
        return 2 * (self.restart + self.health) + 60

    @property
    def lost(self) -> int:
        """Bound the wait for a node that went away in mid-pass: its guard has fired by then."""
        return max(self.guard, self.restart + self.health) + 30

    @property
    def pull_wait(self) -> float:
        """Bound the wait for a turn at a mirror: most of the guard's time is for the pulls."""
        return min(self.pull, self.guard / 4) if self.guard else self.pull

    def node(self, pulls: int) -> int:
        """Bound a node's whole pass: beyond it the worker itself counts as stuck."""
        proof = self.soak + 60 + int(self.pull_wait) + pulls * (2 * self.pull + 60)
        return 2 * self.activate + proof + self.lost + 2 * self.settle + 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to get to a node and to become root there."""

    ssh: SshSettings = field(default_factory=SshSettings)
    privilege: Privilege = field(default_factory=Privilege)
    refused: tuple[tuple[str, str], ...] = ()
    """Logins whose sudo password was refused, each with the node that did."""
    asked: bool = False
    """Whether everything that only a person can give was asked for."""
    reuse_connection: bool = False
    """Whether a node's connection is kept from its survey to the end of its activation."""

    def for_node(self, node: Node) -> Privilege:
        """Return the privilege as the inventory bends it for this node."""
        user = node.become_user if node.become_user not in {None, "root"} else None
        refused = dict(self.refused).get(login_name(node, self.ssh), "") if self.refused else ""
        password = None if refused else self.privilege.password
        return Privilege(password, user, sudo=node.become is not False, refused=refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """One node's pass: the plan, the id of its rollout and generation, and who wants it."""

    plan: NodePlan
    rollout: str
    operator: str
    access: Access
    purpose: str = "rollout"
    verify: bool = True
    liveness: bool = True
    disrupt: bool = False
    tries_left: bool = False
    """A dead run began the pass: whether it restarted the daemon is not known, so it may have."""
    deadlines: Deadlines = field(default_factory=Deadlines)

    @property
    def node(self) -> Node:
        """Return the node that the pass is about."""
        return self.plan.node

    @property
    def restarts(self) -> bool:
        """Say whether we restart containerd; some distributions do it themselves."""
        asked = self.tries_left or self.plan.restart_cost is RestartCost.RESTART
        return asked and not self.plan.restarts_itself

    @property
    def staging(self) -> int:
        """Bound the staging of a node with a second try and a release, in seconds."""
        return 2 * (self.deadlines.stage + 150) + 120

    @property
    def seconds(self) -> int:
        """Bound the whole pass, in seconds."""
        return self.deadlines.node(len(self.plan.tests) if self.verify else 0)

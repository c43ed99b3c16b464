"""The work order of one node: its plan with everything that the work needs. It can be pickled."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from fleet.core.model.change import RestartCost
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan
from fleet.core.rollout import defaults
from fleet.node.script import Privilege
from fleet.ssh import SshSettings, login_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Time limits of the parts of one node's work, in seconds.

    `soak` follows a restart. `guard` counts from the swap: the node itself reverts a change that
    is unconfirmed by then; 0 means without a guard. `per_mirror` is not a time: it is the
    number of nodes that pull from one mirror at once.
    """

    restart: int = 60
    health: int = defaults.HEALTH
    pull: int = defaults.PULL
    soak: int = defaults.SOAK
    guard: int = defaults.GUARD
    per_mirror: int = defaults.PER_MIRROR

    def for_start(self, seconds: int) -> Deadlines:
        """Return the limits for a unit that may take so long to start.

        Restart and health together wait for it, and the guard does not revert it before.
        """
        more = max(0, seconds - self.restart - self.health)
        guard = self.guard and self.guard + more
        return replace(self, restart=self.restart + more, guard=guard) if more else self

    @property
    def stage(self) -> int:
        """Return the limit of staging on the node: two dumps of 15 s and the unpacking."""
        return 60

    @property
    def activate(self) -> int:
        """Return the limit of activation on the node, with a complete revert if it fails."""
        return 3 * (self.restart + self.health) + 60

    @property
    def settle(self) -> int:
        """Return the limit of a confirmation or a revert on the node."""
        return 2 * (self.restart + self.health) + 60

    @property
    def lost(self) -> int:
        """Return the limit of the wait for a node that was lost; its guard has fired by then."""
        return max(self.guard, self.restart + self.health) + 30

    @property
    def pull_wait(self) -> float:
        """Return the limit of the wait for a mirror's slot; pulls get most of the guard's time."""
        return min(self.pull, self.guard / 4) if self.guard else self.pull

    def node(self, pulls: int) -> int:
        """Return the limit of a node's whole work; beyond it the worker itself counts as stuck."""
        verification = self.soak + 60 + int(self.pull_wait) + pulls * (2 * self.pull + 60)
        return 2 * self.activate + verification + self.lost + 2 * self.settle + 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The settings for connecting to a node and becoming root there."""

    ssh: SshSettings = field(default_factory=SshSettings)
    privilege: Privilege = field(default_factory=Privilege)
    refused: tuple[tuple[str, str], ...] = ()
    """Logins whose sudo password was refused, each with the node that refused it."""
    prompted: bool = False
    """Whether the user was asked for everything that only they can give."""
    reuse_connection: bool = False
    """Whether a node's connection stays open from its survey to the end of its activation."""

    def for_node(self, node: Node) -> Privilege:
        """Return the privilege with the inventory's settings for this node."""
        user = node.become_user if node.become_user not in {None, "root"} else None
        refused = dict(self.refused).get(login_name(node, self.ssh), "") if self.refused else ""
        password = None if refused else self.privilege.password
        return Privilege(password, user, sudo=node.become is not False, refused=refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """The order for one node: its plan, the id of its rollout and generation, and the operator.

    `purpose` and `message`, the reason that the operator gave, are for the audit log.
    """

    plan: NodePlan
    rollout: str
    operator: str
    access: Access
    purpose: str = "rollout"
    message: str = ""
    verify: bool = True
    liveness: bool = True
    disrupt: bool = False
    tries_left: bool = False
    """An interrupted run began the work; it is assumed to have restarted the daemon."""
    deadlines: Deadlines = field(default_factory=Deadlines)

    @property
    def node(self) -> Node:
        """Return the node of the plan."""
        return self.plan.node

    @property
    def restarts(self) -> bool:
        """Return whether containerd restarts, by fleet or by its distribution."""
        return self.tries_left or self.plan.restart.cost is RestartCost.RESTART

    @property
    def staging(self) -> int:
        """Return the limit of staging a node with a second try and a release, in seconds."""
        return 2 * (self.deadlines.stage + 150) + 120

    @property
    def seconds(self) -> int:
        """Return the limit of the whole work, in seconds."""
        return self.deadlines.node(len(self.plan.pulls.tests) if self.verify else 0)

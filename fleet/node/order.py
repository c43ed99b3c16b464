"""What a worker is given: one node's plan with everything that its pass needs; picklable."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleet.core.model import Disruption, Node
from fleet.core.plan import NodePlan
from fleet.node.shell import Privilege
from fleet.ssh import SshSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long the parts of a pass may take, in seconds; `soak` follows a restart."""

    restart: int = 60
    health: int = 30
    pull: int = 120
    soak: int = 6

    @property
    def apply(self) -> int:
        """Bound the pass on the node: there and, where it fails, all the way back."""
        return 2 * (self.restart + self.health) + 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to get to a node and to become root there."""

    ssh: SshSettings = field(default_factory=SshSettings)
    privilege: Privilege = field(default_factory=Privilege)

    def on(self, node: Node) -> Privilege:
        """Return the privilege as the inventory bends it for this node."""
        user = node.become_user if node.become_user not in {None, "root"} else None
        return Privilege(self.privilege.password, user, sudo=node.become is not False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """One node's pass: the plan, the ids of generation and rollout, and who wants it."""

    plan: NodePlan
    generation: str
    rollout: str
    operator: str
    access: Access
    verify: bool = True
    deadlines: Deadlines = field(default_factory=Deadlines)

    @property
    def restarts(self) -> bool:
        """Say whether we restart containerd; some distributions do it themselves."""
        return self.plan.disruption is Disruption.RESTART and not self.plan.restarts_itself

"""The session of an action: its connection settings, its worker pool and its user interface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from fleet.actions.user_interface import UserInterface
from fleet.core.masking.known import known_secrets
from fleet.core.model.mirror import MirrorConfig
from fleet.core.model.node import Node
from fleet.engine.workers.base import WorkerPool
from fleet.node.sudo_check import check_sudo
from fleet.node.work_order import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The connection settings, the worker pool and the user interface of an action."""

    access: Access
    pool: WorkerPool
    ui: UserInterface = field(default_factory=UserInterface)

    def ready(self, nodes: Sequence[Node]) -> Session:
        """Ask for passphrases of encrypted keys, and check the sudo password on one node.

        A key that stays locked is not an error here: the nodes that need it fail with the reason.
        """
        access = self.access
        if access.prompted:
            return self
        access = replace(access, ssh=self.ui.unlock_keys(access.ssh, nodes), prompted=True)
        if access.privilege.password is not None:
            access = check_sudo(access, nodes)
        return replace(self, access=access)

    def reusing_connections(self) -> Session:
        """Return a session whose connections stay open from a survey to the end of the work."""
        access = replace(self.access, reuse_connection=self.pool.keeps_connections)
        return replace(self, access=access)

    def secrets(self, config: MirrorConfig | None = None) -> frozenset[str]:
        """Return the secrets to mask in the output of nodes before it is journaled or shown."""
        given = [secret for _, secret in self.access.ssh.passphrases]
        if self.access.privilege.password is not None:
            given.append(self.access.privilege.password)
        known = known_secrets(config) if config is not None else frozenset()
        return known | {str(secret) for secret in given if secret}

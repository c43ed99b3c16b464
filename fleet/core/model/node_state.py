"""The states of a node now, with the meaning of each and what to do about it."""

from __future__ import annotations

from enum import StrEnum


class NodeState(StrEnum):
    """The state of a node now, a closed set; every command and document uses these words."""

    IN_SYNC = "in sync"
    OUTDATED = "outdated"
    DRIFTED = "drifted"
    UNCONFIRMED = "unconfirmed"
    UNHEALTHY = "unhealthy"
    CONFLICT = "conflict"
    UNMANAGED = "unmanaged"
    NO_ACCESS = "no access"
    UNREACHABLE = "unreachable"

    @property
    def meaning(self) -> str:
        """Return what the state says about the node."""
        return _MEANINGS[self][0]

    @property
    def remedy(self) -> str:
        """Return what to do about the state; empty if there is nothing to do."""
        return _MEANINGS[self][1]


_MEANINGS = {
    NodeState.IN_SYNC: ("the node has the config that mirrors.yaml asks for", ""),
    NodeState.OUTDATED: (
        "the files are as fleet wrote them, but mirrors.yaml or containerd has changed since",
        "bring it up to date with `fleet rollout`",
    ),
    NodeState.DRIFTED: (
        "files were changed, removed or added on the node since fleet wrote its config",
        "see what changed with `fleet drift`",
    ),
    NodeState.UNCONFIRMED: (
        "the change of a rollout is active but not confirmed; the node's guard will revert it",
        "wait for that rollout, or continue it with `fleet resume`",
    ),
    NodeState.UNHEALTHY: (
        "containerd or its CRI plugin does not work, or the node cannot be read",
        "look at `journalctl -u containerd` on the node",
    ),
    NodeState.CONFLICT: (
        "fleet will not change the node as it is; the message names the reason",
        "resolve what the message names",
    ),
    NodeState.UNMANAGED: (
        "fleet has not written the registry config of this node yet",
        "see what a rollout would write with `fleet diff`",
    ),
    NodeState.NO_ACCESS: (
        "the node answers, but its host key is not trusted, or it refuses the login or sudo",
        "follow the message; for host keys, run `fleet hostkeys`",
    ),
    NodeState.UNREACHABLE: (
        "the node does not answer on the network",
        "check that it is up and that its address is right",
    ),
}
"""The meaning of each state, and what to do about it."""

"""etcd as a node of its cluster sees it: the members, and which of them are healthy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fleet.core.text.counts import counted


class EtcdState(StrEnum):
    """The kinds of answers about etcd."""

    LISTED = "listed"
    """Its member has listed the members."""
    SILENT = "silent"
    """A member runs on the node and does not answer, or its API server is not ready."""
    AWAY = "away"
    """No member runs on the node."""
    UNKNOWN = "unknown"
    """The node cannot ask."""


@dataclass(frozen=True, slots=True)
class EtcdMember:
    """One member of etcd; a learner, which does not vote, does not count for the quorum."""

    name: str
    healthy: bool
    voter: bool = True
    own: bool = False
    """Whether it is the member on the node that was asked."""


@dataclass(frozen=True, slots=True)
class Etcd:
    """The members of etcd, if a control plane node could list them; else the reason."""

    state: EtcdState
    members: tuple[EtcdMember, ...] = ()
    reason: str = ""

    @property
    def listed(self) -> bool:
        """Return whether the members are known."""
        return self.state is EtcdState.LISTED and bool(self.voters)

    @property
    def voters(self) -> tuple[EtcdMember, ...]:
        """Return the members that vote."""
        return tuple(member for member in self.members if member.voter)

    @property
    def healthy(self) -> int:
        """Return the number of healthy members that vote."""
        return sum(member.healthy for member in self.voters)

    @property
    def quorum(self) -> int:
        """Return the number of members that must be healthy."""
        return len(self.voters) // 2 + 1

    @property
    def spare(self) -> int:
        """Return the number of members that etcd can lose and keep its quorum."""
        return len(self.voters) - self.quorum

    @property
    def own_votes(self) -> int:
        """Return how many healthy voters are taken down with the node that was asked: 1 or 0."""
        if self.state is EtcdState.UNKNOWN:
            return 1
        return sum(member.healthy for member in self.voters if member.own)

    @property
    def summary(self) -> str:
        """Return the members as text: their number, how many are healthy, and which are not."""
        if not self.listed:
            return f"quorum unknown: {self.reason or 'the node did not say'}"
        unhealthy = ", ".join(member.name for member in self.voters if not member.healthy)
        down = f", not {unhealthy}" if unhealthy else ""
        return f"{self.healthy} of {counted(len(self.voters), 'member')} healthy{down}"


def quorum_problem(etcd: Etcd, taken: int) -> str:
    """Return why `taken` more members must not go down; empty if etcd keeps its quorum.

    etcd of two members cannot lose any: then both must be healthy before one is restarted. A single
    member has no quorum to keep.
    """
    healthy, voters = etcd.healthy, len(etcd.voters)
    if voters > 1 and healthy < etcd.quorum:
        return f"etcd has no quorum ({etcd.summary})"
    if taken and healthy - taken < min(etcd.quorum, voters - 1):
        return f"etcd would lose its quorum ({etcd.summary})"
    return ""

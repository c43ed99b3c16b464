"""The part of a probe's reply that is about etcd."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from fleet.core.masking.shown_text import tail
from fleet.core.model.etcd import Etcd, EtcdMember, EtcdState
from fleet.node.script import Reply, parse_member, protocol_error


class _Health(StrEnum):
    """The health of a member as the node found it."""

    HEALTHY = "healthy"
    ANSWERING = "answering"
    """It answers other members; whether it serves clients is not known."""
    DOWN = "down"


_LONGEST = 100
"""The longest name of a member that is shown in full."""


def read_etcd(reply: Reply) -> Etcd | None:
    """Read what a control plane node says about etcd; None if the node is not one."""
    if not reply.has("etcd"):
        return None
    word, _, reason = reply.value("etcd").partition(" ")
    state = parse_member(EtcdState, word, "state of etcd")
    if state is not EtcdState.LISTED:
        return Etcd(state, reason=tail(reason, 1))
    members = tuple(_read_members(reply))
    return Etcd(state, members, reason="" if members else "its etcd lists no members")


def _read_members(reply: Reply) -> Iterator[EtcdMember]:
    """Yield the members.

    A healthy member has answered a read that needs the quorum. Without one, those that only
    answer other members do not count as healthy.
    """
    rows = [_split(text) for text in reply.texts("etcd_member")]
    serves = any(row[0] is _Health.HEALTHY for row in rows)
    for health, vote, own, name in rows:
        healthy = serves and health is not _Health.DOWN
        yield EtcdMember(tail(name, 1)[:_LONGEST], healthy, vote == "voter", own == "1")


def _split(text: str) -> tuple[_Health, str, str, str]:
    """Split the record of a member: its health, its vote, whether it is the node's own, name."""
    words = text.split(" ", 3)
    if len(words) != 4:
        raise protocol_error("not a member of etcd", tail(text, 1))
    return parse_member(_Health, words[0], "health of a member"), words[1], words[2], words[3]

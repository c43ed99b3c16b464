"""CRI in the middle of a script: the script does what wants root, we speak when it says `ready`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fleet.core.outcome import FailureKind, NodeError
from fleet.node import cri
from fleet.node.shell import decoded
from fleet.ssh import Remote
from fleet.ssh.conversation import Conversation


def said(talk: Conversation, key: str) -> str:
    """Return the newest value of that key; empty where there is none."""
    found = ""
    for line in talk.heard.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition("\t")
        if name == key:
            found = decoded(value).decode("utf-8", "replace")
    return found


@contextmanager
def spoken(
    remote: Remote, talk: Conversation, meanwhile: Callable[[], None] | None = None
) -> Iterator[cri.Cri]:
    """Lead to CRI by the way that the script has told of; raise a NodeError where there is none.

    `meanwhile` is called again and again while an answer is waited for.
    """
    way = said(talk, "relay")
    if not way:
        message = (
            "the node's systemd cannot lead this login to CRI; log in as root, or put crictl there"
        )
        raise NodeError(FailureKind.UNSUPPORTED, "forward", message)
    with remote.bridge(way) as bridge:

        def turn() -> None:
            bridge.turn()
            if meanwhile:
                meanwhile()

        found = cri.connected(bridge.target, turn)
        try:
            yield found
        finally:
            found.channel.close()

"""CRI calls in the middle of a script: the script does what needs root, and waits for the calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fleet.core.failure import FailureKind, NodeError
from fleet.node.cri import client as cri
from fleet.node.script import Privilege, Script, decoded
from fleet.ssh import Remote
from fleet.ssh.dialogue import Conversation
from fleet.ssh.forward.stdio import stdio_bridge


def said(talk: Conversation, key: str) -> str:
    """Return the newest value of that key; empty where there is none."""
    found = ""
    for line in talk.heard.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition("\t")
        if name == key:
            found = decoded(value).decode("utf-8", "replace")
    return found


@dataclass(frozen=True, slots=True)
class Relay:
    """A second script on the node, whose input and output lead to CRI."""

    way: Conversation

    @contextmanager
    def spoken(self, meanwhile: Callable[[], None] | None = None) -> Iterator[cri.Cri]:
        """Connect to CRI; raise a NodeError if the node cannot.

        `meanwhile` is called repeatedly while waiting for a response.
        """
        if not self.way.until("ready\t"):
            missing = said(self.way, "missing") or "a namespace of its own"
            message = f"nothing leads to CRI's socket here without {missing}; put crictl there"
            raise NodeError(FailureKind.UNSUPPORTED, "forward", message)
        with stdio_bridge(self.way.channel, self.way.rest()) as bridge:

            def turn() -> None:
                bridge.turn()
                if meanwhile:
                    meanwhile()

            found = cri.connected(bridge.target, turn)
            try:
                yield found
            finally:
                found.channel.close()


@contextmanager
def relayed(remote: Remote, privilege: Privilege, socket: str, seconds: int) -> Iterator[Relay]:
    """Start the script that leads to CRI, for up to `seconds`; do not wait until it is ready.

    Root runs it from end to end: no other user gets access to CRI's socket.
    """
    script = Script("relay", {"SOCKET": socket}, seconds)
    with remote.converse(script.line(privilege), script.stdin(privilege), seconds) as way:
        yield Relay(way)

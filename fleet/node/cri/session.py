"""CRI calls during a script, which does what needs root and waits for the calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.node.cri import client as cri
from fleet.node.script import Privilege, Script, decode_field
from fleet.ssh import Remote
from fleet.ssh.dialogue import InteractiveCommand
from fleet.ssh.forward.stdio import stdio_bridge


def last_value(command: InteractiveCommand, key: str) -> str:
    """Return the newest value of that key; empty if there is none."""
    text = ""
    for line in command.received.decode("utf-8", "replace").splitlines():
        name, _, value = line.partition("\t")
        if name == key:
            text = decode_field(value).decode("utf-8", "replace")
    return text


@dataclass(frozen=True, slots=True)
class CriSession:
    """A second script on the node, which connects its input and output to CRI."""

    command: InteractiveCommand

    @contextmanager
    def client(self, while_waiting: Callable[[], None] | None = None) -> Iterator[cri.CriClient]:
        """Connect to CRI; raise a NodeError if the node cannot.

        `while_waiting` is called repeatedly while waiting for a response.
        """
        if not self.command.wait_for("ready\t"):
            missing = last_value(self.command, "missing") or "a namespace of its own"
            message = f"CRI's socket cannot be reached without {missing} on the node"
            remedy = "install crictl on the node"
            raise NodeError(FailureKind.UNSUPPORTED, Step.FORWARD, message, remedy)
        with stdio_bridge(self.command.channel, self.command.received_after_mark()) as bridge:

            def pump() -> None:
                bridge.pump()
                if while_waiting:
                    while_waiting()

            client = cri.cri_client(bridge.target, pump)
            try:
                yield client
            finally:
                client.channel.close()


@contextmanager
def cri_session(
    remote: Remote, privilege: Privilege, socket: str, seconds: int
) -> Iterator[CriSession]:
    """Start the script that relays to CRI, for up to `seconds`; do not wait until it is ready.

    Root runs it from end to end: no other user gets access to CRI's socket.
    """
    script = Script(Step.RELAY, {"SOCKET": socket}, seconds)
    with remote.run_interactive(
        script.command_line(privilege), script.stdin(privilege), seconds
    ) as command:
        yield CriSession(command)

"""A relay to CRI: values that its script writes, and a client once it is ready."""

from __future__ import annotations

import grpc
import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.node.cri.session import cri_session, last_value
from fleet.node.script import Privilege
from tests.support.server import Command, served


def writes(text: str) -> Command:
    """Return a command that writes a text and waits for the end of its input."""

    def run(channel: object) -> int:
        channel.sendall(text.encode())  # type: ignore[attr-defined]
        while channel.recv(4096):  # type: ignore[attr-defined]
            pass
        return 0

    return run


VALUES = {
    "one": ("image\t=a/b:1\nready\t\n", "a/b:1"),
    "the newest": ("image\t=old\nimage\t=new\nready\t\n", "new"),
    "in base64": ("image\tw7w=\nready\t\n", "ü"),
    "of another key": ("images\t=x\nready\t\n", ""),
    "none": ("ready\t\n", ""),
}


@pytest.mark.parametrize(("text", "value"), VALUES.values(), ids=VALUES)
def test_the_newest_value_of_a_key_counts(text: str, value: str) -> None:
    with (
        served(writes(text)) as remote,
        remote.run_interactive("x", b"", 20) as command,
    ):
        assert command.wait_for("ready\t")

        assert last_value(command, "image") == value


MISSING = {
    "a tool": ("missing\t=socat\nend\t\n", "without socat"),
    "nothing that it names": ("end\t\n", "without a namespace of its own"),
}


@pytest.mark.parametrize(("text", "words"), MISSING.values(), ids=MISSING)
def test_a_node_without_a_way_to_cri_is_a_failure_that_names_what_is_missing(
    text: str, words: str
) -> None:
    with (
        served(writes(f"hello\t=0\n{text}")) as remote,
        cri_session(remote, Privilege(), "/run/c.sock", 20) as session,
        pytest.raises(NodeError) as raised,
        session.client(),
    ):
        pytest.fail("there is no client")

    assert raised.value.failure.kind is FailureKind.UNSUPPORTED
    assert words in raised.value.failure.message


def test_a_relay_that_is_ready_has_a_client() -> None:
    with (
        served(writes("hello\t=0\nready\t\n")) as remote,
        cri_session(remote, Privilege(), "/run/c.sock", 20) as session,
        session.client() as client,
    ):
        assert isinstance(client.channel, grpc.Channel)

"""What a mirror may answer to a test: a hostile answer is that mirror's result."""

from __future__ import annotations

from typing import cast

import pytest
from paramiko import Channel

from fleet.core.containerd.requests import parse_image
from fleet.core.mirrors.check import Diagnosis, Target, Trouble
from fleet.core.mirrors.diagnosis import diagnose
from fleet.core.model.mirror import Mirror
from fleet.errors import printable
from fleet.node.mirrors.pull import EndpointTest, try_endpoint
from fleet.ssh.forward.tcp import Tunnel
from fleet.ssh.forward.tls import TunnelSocket

TARGET = Target(
    "docker.io", Mirror(url="http://m.example"), parse_image("docker.io/library/busybox:1.36")
)
NOWHERE = (
    *("http://[", "https://[::1", "https://.x/a", "https:///x", "http://a b/", "http://h:\u00b2/"),
    *("http://h:99999999/", f"http://h:{'9' * 5000}/", f"https://{'a' * 300}/", "http://h:0/"),
    *("http://h:-1/", "https://\u0130/", f"http://{'[' * 3000}", "http://\udcff/", "http://u:p@/"),
)
DEEP = (b"[" * 100_000, b'{"a":' * 60_000, b"9" * 5000, b"\xff", b'{"token": "\\ud800"}')
DIGEST = "sha256:" + "a" * 64


class FakeChannel:
    """A mirror that gives one answer to each request, in order."""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers, self.left = list(answers), b""

    def settimeout(self, _: float) -> None:
        """Nothing waits here."""

    def sendall(self, _: bytes) -> None:
        """Take a request."""
        self.left = self.answers.pop(0) if self.answers else b""

    def recv(self, size: int) -> bytes:
        """Give a part of the answer."""
        part, self.left = self.left[:size], self.left[size:]
        return part

    def close(self) -> None:
        """Nothing is open."""


class FakeTunnel:
    """A tunnel to that mirror, whatever host is asked for."""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers = answers

    def dial(self, host: str, port: int, _: float) -> TunnelSocket:
        """Connect."""
        assert 0 < port < 65_536
        assert host.encode("utf-8", "surrogateescape")
        return TunnelSocket(cast("Channel", FakeChannel(self.answers)))


def answer(status: int, *fields: str, body: bytes = b"") -> bytes:
    head = (f"HTTP/1.1 {status} X", *fields, f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


def tried(*answers: bytes) -> tuple[Diagnosis, str, set[Trouble]]:
    probe = EndpointTest(TARGET, cast("Tunnel", FakeTunnel(list(answers))), seconds=3)
    seen = try_endpoint(probe)
    diagnosis, words = diagnose(TARGET, seen)
    return diagnosis, printable(words), {step.trouble for step in seen.steps if step.trouble}


@pytest.mark.parametrize("url", NOWHERE)
def test_a_token_server_at_no_usable_url_is_a_strange_answer(url: str) -> None:
    challenge = f'WWW-Authenticate: Bearer realm="{url}",service="s"'

    found, words, _ = tried(answer(200), answer(401, challenge))

    assert found is not Diagnosis.OK, words
    assert "u:p" not in words


@pytest.mark.parametrize("url", NOWHERE)
def test_a_layer_at_no_usable_url_is_a_strange_answer(url: str) -> None:
    manifest = f'{{"layers": [{{"digest": "{DIGEST}"}}]}}'.encode()
    named = f"Docker-Content-Digest: {DIGEST}"
    good = (answer(200), answer(200, named), answer(200, named, body=manifest))

    found, words, _ = tried(*good, answer(307, f"Location: {url}"))

    assert found is not Diagnosis.OK, words
    assert "u:p" not in words


@pytest.mark.parametrize("body", DEEP)
def test_a_body_that_cannot_be_read_is_no_exception(body: bytes) -> None:
    challenge = 'WWW-Authenticate: Bearer realm="http://m.example/t"'
    refused, _, _ = tried(answer(200), answer(401, challenge), answer(200, body=body), answer(401))
    odd, _, _ = tried(
        answer(200), answer(200, f"Docker-Content-Digest: {DIGEST}"), answer(200, body=body)
    )

    assert refused is Diagnosis.STRANGE
    assert odd is Diagnosis.OK

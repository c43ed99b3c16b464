"""HTTP through a tunnel: responses, their limits, and every step with its time or its trouble."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, cast

import pytest

from fleet.core.mirrors.check import Trouble, WireError
from fleet.node.mirrors.http import HttpResponse, Site
from fleet.ssh.forward.tcp import Tunnel
from fleet.ssh.forward.tls import TunnelSocket

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


class LocalTunnel:
    """A tunnel to a server that gives one answer to each request of a connection, in order."""

    def __init__(self, *answers: bytes, refused: tuple[str, ...] = ()) -> None:
        self.answers, self.refused = list(answers), refused
        self.dialled: list[tuple[str, int]] = []
        self.requests: list[bytes] = []
        self._wires: list[socket.socket] = []

    def dial(self, host: str, port: int, seconds: float) -> TunnelSocket:
        assert seconds > 0
        self.dialled.append((host, port))
        if host in self.refused:
            raise WireError(Trouble.REFUSED, f"{host} refused")
        ours, theirs = socket.socketpair()
        self._wires += (ours, theirs)
        threading.Thread(target=self._serve, args=(theirs,), daemon=True).start()
        return TunnelSocket(cast("Any", ours))

    def _serve(self, wire: socket.socket) -> None:
        with suppress(OSError):  # the client may hang up first
            self._answer_all(wire)

    def _answer_all(self, wire: socket.socket) -> None:
        while self.answers:
            request = b""
            while b"\r\n\r\n" not in request:
                part = wire.recv(4096)
                if not part:
                    return
                request += part
            self.requests.append(request)
            answer = self.answers.pop(0)
            wire.sendall(answer)
            if not answer.startswith(b"HTTP") or b"Content-Length" not in answer:
                break
        wire.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        for wire in self._wires:
            wire.close()


SiteOf = Callable[..., tuple[Site, LocalTunnel]]


@pytest.fixture
def site_of() -> Iterator[SiteOf]:
    """Return a function that makes a site whose server gives these answers."""
    tunnels: list[LocalTunnel] = []

    def made(*answers: bytes, refused: tuple[str, ...] = (), **fields: Any) -> Any:
        tunnel = LocalTunnel(*answers, refused=refused)
        tunnels.append(tunnel)
        about = {"scheme": "http", "authority": "m.example", "seconds": 5.0, **fields}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return Site(cast("Tunnel", tunnel), context=context, **about), tunnel

    yield made
    for tunnel in tunnels:
        tunnel.close()


def test_a_response_has_its_status_headers_and_body(site_of: SiteOf) -> None:
    site, tunnel = site_of(
        b"HTTP/1.1 404 Not Found\r\nX-Reason: Gone\r\nContent-Length: 4\r\n\r\nnone"
    )

    response = site.request("ping", "/v2/", {"Accept": "x/y"})

    assert response == HttpResponse(
        404, {"x-reason": "Gone", "content-length": "4"}, b"none", complete=True
    )
    assert tunnel.requests == [
        b"GET /v2/ HTTP/1.1\r\nHost: m.example\r\nAccept-Encoding: identity\r\nAccept: x/y\r\n\r\n"
    ]


def test_two_requests_use_one_connection(site_of: SiteOf) -> None:
    site, tunnel = site_of(HEAD % 1 + b"a", HEAD % 1 + b"b")

    bodies = [site.request("ping", "/", {}).body for _ in range(2)]

    assert (bodies, len(tunnel.dialled)) == ([b"a", b"b"], 1)


def test_every_step_is_recorded(site_of: SiteOf) -> None:
    site, _ = site_of(b"HTTP/1.1 500 X\r\nContent-Length: 9\r\n\r\nbad   day", step_host="token")

    site.request("manifest", "/", {})

    tcp, manifest = site.steps
    assert (tcp.name, tcp.status, tcp.trouble, tcp.host) == ("tcp", 0, None, "token")
    assert (manifest.name, manifest.status, manifest.words) == ("manifest", 500, "bad day")
    assert 0 <= manifest.seconds < 5


def test_a_body_is_read_up_to_its_limit_and_the_connection_is_not_used_again(
    site_of: SiteOf,
) -> None:
    site, tunnel = site_of(HEAD % 10 + b"0123456789", HEAD % 1 + b"x")

    first = site.request("layer", "/", {}, max_bytes=4)
    site.request("ping", "/", {})

    assert (first.body, first.complete) == (b"0123", False)
    assert len(tunnel.dialled) == 2


def test_a_body_of_exactly_the_limit_is_complete(site_of: SiteOf) -> None:
    site, _ = site_of(HEAD % 4 + b"0123")

    response = site.request("layer", "/", {}, max_bytes=4)

    assert (response.body, response.complete) == (b"0123", True)


def test_a_body_without_a_length_ends_with_the_connection(site_of: SiteOf) -> None:
    site, _ = site_of(b"HTTP/1.1 200 OK\r\n\r\nall of it")

    assert site.request("ping", "/", {}).body == b"all of it"


@pytest.mark.parametrize(
    ("method", "body"), [("HEAD", None), ("POST", b"grant_type=password"), ("GET", None)]
)
def test_a_request_has_its_method_and_its_body(
    site_of: SiteOf, method: str, body: bytes | None
) -> None:
    site, tunnel = site_of(HEAD % 0)

    site.request("token", "/t", {}, method=method, body=body)

    assert tunnel.requests[0].startswith(f"{method} /t HTTP/1.1\r\n".encode())
    assert (b"Content-Length: 19" in tunnel.requests[0]) is (body is not None)


TROUBLES = {
    "nothing at all": (b"", Trouble.CLOSED),
    "no HTTP": (b"SSH-2.0-x\r\n", Trouble.NOT_HTTP),
    "a status that is none": (b"HTTP/1.1 abc\r\n\r\n", Trouble.NOT_HTTP),
    "a body that is cut": (HEAD % 9 + b"abc", Trouble.CLOSED),
}


@pytest.mark.parametrize(("answer", "trouble"), TROUBLES.values(), ids=TROUBLES)
def test_a_broken_response_is_an_error_and_a_step(
    site_of: SiteOf, answer: bytes, trouble: Trouble
) -> None:
    site, _ = site_of(answer)

    with pytest.raises(WireError) as raised:
        site.request("ping", "/", {})

    assert raised.value.trouble is trouble
    assert [(step.name, step.trouble) for step in site.steps] == [("tcp", None), ("ping", trouble)]


def test_a_server_that_says_nothing_is_given_up(site_of: SiteOf) -> None:
    site, tunnel = site_of(seconds=0.05)
    tunnel.answers = [b""]
    ours, theirs = socket.socketpair()
    tunnel.dial = lambda *_: TunnelSocket(cast("Any", ours))  # type: ignore[method-assign]

    with ours, theirs, pytest.raises(WireError) as raised:
        site.request("ping", "/", {})

    assert raised.value.trouble is Trouble.TIMEOUT


def test_what_has_arrived_by_the_deadline_is_returned(site_of: SiteOf) -> None:
    site, tunnel = site_of(seconds=0.2)
    ours, theirs = socket.socketpair()
    theirs.sendall(HEAD % 10 + b"0123")
    tunnel.dial = lambda *_: TunnelSocket(cast("Any", ours))  # type: ignore[method-assign]

    with ours, theirs:
        response = site.request("layer", "/", {})

    assert (response.body, response.complete) == (b"0123", False)
    assert site.steps[-1].seconds >= 0.2


def test_addresses_are_tried_in_order(site_of: SiteOf) -> None:
    site, tunnel = site_of(
        HEAD % 0, addresses=("10.0.0.1", "10.0.0.2", "10.0.0.3"), refused=("10.0.0.1",)
    )

    site.open()

    assert tunnel.dialled == [("10.0.0.1", 80), ("10.0.0.2", 80)]
    assert site.address == "10.0.0.2"


def test_three_addresses_are_tried_at_most(site_of: SiteOf) -> None:
    addresses = tuple(f"10.0.0.{number}" for number in range(5))
    site, tunnel = site_of(addresses=addresses, refused=addresses)

    with pytest.raises(WireError) as raised:
        site.open()

    assert len(tunnel.dialled) == 3
    assert raised.value.words == "10.0.0.2 refused"
    assert [(step.name, step.trouble) for step in site.steps] == [("tcp", Trouble.REFUSED)]


@pytest.mark.parametrize(
    ("authority", "place"),
    [("m.example", ("m.example", 80)), ("m.example:5000", ("m.example", 5000))],
)
def test_a_name_is_left_to_the_node(
    site_of: SiteOf, authority: str, place: tuple[str, int]
) -> None:
    site, tunnel = site_of(HEAD % 0, authority=authority)

    site.open()

    assert (tunnel.dialled, site.address) == ([place], "")


def test_https_begins_with_tls(site_of: SiteOf) -> None:
    site, tunnel = site_of(scheme="https")
    ours, theirs = socket.socketpair()
    theirs.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    tunnel.dial = lambda *_: TunnelSocket(cast("Any", ours))  # type: ignore[method-assign]

    with ours, theirs, pytest.raises(WireError) as raised:
        site.open()

    assert raised.value.trouble is Trouble.NOT_TLS
    assert [(step.name, step.trouble) for step in site.steps] == [
        ("tcp", None),
        ("tls", Trouble.NOT_TLS),
    ]


PAGES = {
    "by its type": ({"content-type": "text/HTML; charset=utf-8"}, b"", True),
    "by its beginning": ({}, b"\n <!DOCTYPE html><html>", True),
    "JSON": ({"content-type": "application/json"}, b"{}", False),
    "nothing": ({}, b"", False),
}


@pytest.mark.parametrize(("headers", "body", "html"), PAGES.values(), ids=PAGES)
def test_a_web_page_is_told_from_an_answer(
    headers: dict[str, str], body: bytes, html: bool
) -> None:
    assert HttpResponse(200, headers, body, complete=True).html is html


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (200, b"fine", ""),
        (399, b"moved", ""),
        (400, b"bad\n\n  \t day", "bad day"),
        (500, b"\xff\x1b[2J" + b"x" * 300, None),
    ],
)
def test_only_an_error_has_a_text_and_it_is_safe(
    status: int, body: bytes, text: str | None
) -> None:
    found = HttpResponse(status, {}, body, complete=True).error_text

    assert "\x1b" not in found
    assert len(found) < 250
    assert text is None or found == text

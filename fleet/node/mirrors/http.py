"""HTTP to one host through a node's tunnel, one step at a time, every step with its deadline."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from fleet.core.containerd.requests import split_authority
from fleet.core.masking.shown_text import tail
from fleet.core.mirrors.check import CheckStep, Trouble, WireError
from fleet.core.text.counts import counted
from fleet.ssh.forward.tcp import Tunnel
from fleet.ssh.forward.tls import TunnelSocket

_LIMIT = 4 << 20
"""Bytes of a manifest or a token; containerd has the same limit for manifests."""


_CHUNK = 1 << 15


_WORDS = 200


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response: its status, its headers in lower case, and its body up to the requested size."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool

    @property
    def html(self) -> bool:
        """Return whether this is a web page."""
        kind = self.headers.get("content-type", "").lower()
        return kind.startswith("text/html") or self.body.lstrip()[:14].lower() == b"<!doctype html"

    @property
    def error_text(self) -> str:
        """Return the beginning of an error's body, safe to print."""
        if self.status < 400:
            return ""
        return tail(" ".join(self.body[:_WORDS].decode("utf-8", "replace").split()), 1)


@dataclass(slots=True)
class Site:
    """A host, reached from the node; `steps` records everything that is tried.

    `addresses` are those that the node resolved the name to; empty if its sshd must do that.
    """

    tunnel: Tunnel
    scheme: str
    authority: str
    context: ssl.SSLContext
    seconds: float
    addresses: tuple[str, ...] = ()
    step_host: str = ""
    steps: list[CheckStep] = field(default_factory=list)
    address: str = ""
    _http: http.client.HTTPConnection | None = None

    def open(self) -> None:
        """Connect, with a TLS handshake for https; keep a connection that is open."""
        if self._http is not None and self._http.sock is not None:
            return
        host, port = split_authority(self.authority, self.scheme)
        with self._time_step("tcp"):
            wire = self._dial(host, port)
        if self.scheme == "https":
            with self._time_step("tls"):
                wire.set_deadline(self.seconds)
                wire.start_tls(self.context, host)
        self._http = http.client.HTTPConnection(host, port)
        self._http.auto_open = 0
        self._http.sock = cast("socket.socket", wire)

    def _dial(self, host: str, port: int) -> TunnelSocket:
        """Try the addresses in the resolver's order."""
        deadline = time.monotonic() + self.seconds
        last = WireError(Trouble.TIMEOUT)
        for address in self.addresses[:3] or (host,):
            try:
                wire = self.tunnel.dial(address, port, max(0.1, deadline - time.monotonic()))
            except WireError as error:
                last = error
            else:
                self.address = address if self.addresses else ""
                return wire
        raise last

    @contextmanager
    def _time_step(self, name: str) -> Iterator[None]:
        """Record how long a step took, and its error if it failed."""
        began = time.monotonic()
        try:
            yield
        except WireError as error:
            self._record_step(name, began, trouble=error.trouble, words=tail(error.words, 1))
            raise
        self._record_step(name, began)

    def _record_step(self, name: str, began: float, **fields: object) -> None:
        seconds = round(time.monotonic() - began, 4)
        self.steps.append(CheckStep(name, seconds, host=self.step_host, **fields))  # type: ignore[arg-type]

    def request(
        self,
        step: str,
        path: str,
        headers: Mapping[str, str],
        *,
        method: str = "GET",
        max_bytes: int = _LIMIT,
        body: bytes | None = None,
    ) -> HttpResponse:
        """Request a path; the step's time ends with the headers, for a layer with its last byte."""
        self.open()
        began = time.monotonic()
        try:
            with self._convert_errors():
                raw = self._send(method, path, headers, body)
                arrived = time.monotonic()
                response = self._read_response(raw, max_bytes)
        except WireError as error:
            self._record_step(step, began, trouble=error.trouble, words=tail(error.words, 1))
            raise
        ended = time.monotonic() if step == "layer" else arrived
        words = response.error_text
        self.steps.append(
            CheckStep(
                step,
                round(ended - began, 4),
                response.status,
                response.html,
                None,
                words,
                self.step_host,
            )
        )
        return response

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> http.client.HTTPResponse:
        assert self._http is not None  # noqa: S101 - `ask` opens it
        cast("TunnelSocket", self._http.sock).set_deadline(self.seconds)
        all_headers = {"Host": self.authority, "Accept-Encoding": "identity", **headers}
        self._http.request(method, path, body, all_headers)
        return self._http.getresponse()

    def _read_response(self, raw: http.client.HTTPResponse, max_bytes: int) -> HttpResponse:
        """Read up to `most` bytes; at the deadline, return the bytes that have arrived."""
        parts: list[bytes] = []
        size, ended = 0, False
        while size < max_bytes and not ended:
            try:
                part = raw.read1(min(_CHUNK, max_bytes - size))
            except WireError as error:
                if error.trouble is not Trouble.TIMEOUT or not parts:
                    raise
                break
            parts.append(part)
            size += len(part)
            ended = not part or raw.length == 0
        if ended and raw.length:
            raise WireError(Trouble.CLOSED, f"{counted(raw.length, 'byte')} missing")
        raw.close()
        if not ended:
            self.close()  # unread bytes would precede the next response
        headers = {key.lower(): value for key, value in raw.getheaders()}
        return HttpResponse(raw.status, headers, b"".join(parts), ended)

    @contextmanager
    def _convert_errors(self) -> Iterator[None]:
        try:
            yield
        except http.client.RemoteDisconnected as error:
            raise WireError(Trouble.CLOSED, "before a response") from error
        except http.client.IncompleteRead as error:
            raise WireError(Trouble.CLOSED, "during a response") from error
        except (http.client.HTTPException, ValueError) as error:
            raise WireError(Trouble.NOT_HTTP, type(error).__name__) from error

    def close(self) -> None:
        """Close the connection."""
        if self._http is not None:
            self._http.close()
            self._http = None

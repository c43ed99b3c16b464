"""A connection through a node, plain or TLS, with the interface that http.client needs."""

from __future__ import annotations

import io
import ssl
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.core.mirrors.check import Trouble, WireError
from fleet.core.model.mirror import Mirror

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer
    from paramiko import Channel

_CHUNK = 1 << 15


_EXPIRED = {9, 10}


_UNKNOWN = {2, 18, 19, 20, 21}


_OTHER_NAME = {62, 64}
"""Codes of X509_verify_cert: not yet valid and expired, unknown issuer, host and address."""


def tls_context(mirror: Mirror, bundle: str) -> ssl.SSLContext:
    """Return a mirror's TLS context, with its own CA if it has one, and the node's `bundle`.

    As in containerd, system roots and `ca` count together, and names must be in subjectAltName.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.hostname_checks_common_name = False
    if mirror.skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    for text in (bundle, *(certificate.decode("ascii", "replace") for certificate in mirror.ca)):
        if text.strip():
            context.load_verify_locations(cadata=text)
    for pair in mirror.client:
        with tempfile.TemporaryDirectory(prefix="fleet-") as folder:  # OpenSSL reads only files
            path = Path(folder) / "client.pem"
            path.write_bytes(pair.certificate + b"\n" + (pair.key or b""))
            context.load_cert_chain(path)
    return context


class TunnelSocket:
    """A connection with a deadline."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._deadline = time.monotonic()
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._readers = 0
        self._closing = False

    def set_deadline(self, seconds: float) -> None:
        """Set the deadline of all that follows to `seconds` from now."""
        self._deadline = time.monotonic() + seconds

    def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Do the TLS handshake; raise a WireError that names what is wrong with the certificate."""
        try:
            tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        except ValueError as error:
            raise WireError(Trouble.BAD_URL, "the URL has no host name for TLS") from error
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            except ssl.SSLError as error:
                raise _tls_error(error) from error
            else:
                break
        self._flush()
        self._tls = tls

    def sendall(self, content: ReadableBuffer) -> None:
        """Send everything, as a socket does."""
        if self._tls is None:
            self._send(bytes(content))
            return
        self._tls.write(content)
        self._flush()

    def recv(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end."""
        if self._tls is None:
            return self._receive(size)
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            except ssl.SSLZeroReturnError:
                return b""
            except ssl.SSLError as error:
                raise _tls_error(error) from error

    def makefile(self, mode: str = "rb") -> io.BufferedReader:
        """Return a reader, as a socket does."""
        del mode
        self._readers += 1
        return io.BufferedReader(_Reader(self), _CHUNK)

    def close(self) -> None:
        """Close the connection once it has no more readers, as a socket does."""
        self._closing = True
        if not self._readers:
            self._channel.close()

    def release_reader(self) -> None:
        """Remove a reader; close the connection if it was the last and a close is due."""
        self._readers -= 1
        if self._closing:
            self.close()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._send(self._outgoing.read())

    def _feed(self) -> None:
        part = self._receive(_CHUNK)
        if part:
            self._incoming.write(part)
        else:
            self._incoming.write_eof()

    def _send(self, content: bytes) -> None:
        self._channel.settimeout(self._seconds_left())
        try:
            self._channel.sendall(content)
        except TimeoutError as error:
            raise WireError(Trouble.TIMEOUT) from error
        except (OSError, EOFError) as error:
            raise WireError(Trouble.CLOSED, str(error) or "closed") from error

    def _receive(self, size: int) -> bytes:
        self._channel.settimeout(self._seconds_left())
        try:
            return self._channel.recv(size)
        except TimeoutError as error:
            raise WireError(Trouble.TIMEOUT) from error
        except (OSError, EOFError) as error:
            raise WireError(Trouble.CLOSED, str(error) or "closed") from error

    def _seconds_left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise WireError(Trouble.TIMEOUT)
        return left


class _Reader(io.RawIOBase):
    """The raw stream that BufferedReader reads."""

    def __init__(self, wire: TunnelSocket) -> None:
        self._wire = wire

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._wire.release_reader()

    def readable(self) -> bool:
        return True

    def readinto(self, into: WriteableBuffer) -> int:
        view = memoryview(into)
        part = self._wire.recv(len(view))
        view[: len(part)] = part
        return len(part)


def _tls_error(error: ssl.SSLError) -> WireError:
    """Return an error that names the problem, since OpenSSL's words are hard to read."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return WireError(_certificate_trouble(error.verify_code), error.verify_message)
    reason = (error.reason or "").replace("_", " ").lower()
    # Python 3.11.2 names no reason if the connection ends during the handshake.
    if not reason or "eof" in reason or isinstance(error, ssl.SSLEOFError):
        return WireError(Trouble.CLOSED, "during the TLS handshake")
    if any(word in reason for word in ("wrong version", "http request", "record layer")):
        return WireError(Trouble.NOT_TLS, reason)
    return WireError(Trouble.CERTIFICATE, reason)


def _certificate_trouble(code: int) -> Trouble:
    if code in _EXPIRED:
        return Trouble.EXPIRED
    if code in _OTHER_NAME:
        return Trouble.WRONG_NAME
    return Trouble.UNKNOWN_CA if code in _UNKNOWN else Trouble.CERTIFICATE

"""A connection with a deadline, plain or TLS, and a name for what is wrong with a certificate."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from fleet.core.mirrors.check import Trouble, WireError
from fleet.core.model.mirror import ClientPair, Mirror
from fleet.ssh.forward.tls import TunnelSocket, tls_context

NOW = datetime.now(UTC)
HOSTS = ("a.example",)


def certificate(
    folder: Path, name: str, begin: int = -1, end: int = 1, *, names: tuple[str, ...] = HOSTS
) -> None:
    """Make a certificate for hosts that signs itself; it is valid between two days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=begin))
        .not_valid_after(NOW + timedelta(days=end))
        .add_extension(x509.SubjectAlternativeName(list(map(x509.DNSName, names))), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.crt").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the certificates of a server and of a client."""
    made = tmp_path_factory.mktemp("tls")
    for name in ("server", "other", "client"):
        certificate(made, name)
    certificate(made, "expired", -9, -1)
    certificate(made, "future", 1, 9)
    certificate(made, "nameless", names=())
    return made


def mirror(folder: Path, *names: str, **fields: Any) -> Mirror:
    """Return a mirror that trusts these certificates."""
    ca = tuple((folder / f"{name}.crt").read_bytes() for name in names)
    return Mirror(url="https://a.example", ca=ca, **fields)


@contextmanager
def served(context: ssl.SSLContext | None, answer: bytes = b"") -> Iterator[TunnelSocket]:
    """Return a connection to a server that echoes over TLS, or that writes one plain answer."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with suppress(OSError):
            if context is None:
                theirs.sendall(answer)
                theirs.recv(4096)
                theirs.close()
                return
            with context.wrap_socket(theirs, server_side=True) as wire:
                while part := wire.recv(4096):
                    wire.sendall(part.upper())
                    if part == b"bye":
                        return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with ours, theirs:
        wire = TunnelSocket(cast("Any", ours))
        wire.set_deadline(10)
        yield wire
        with suppress(OSError):
            ours.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def server_context(folder: Path, name: str = "server", *, client: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
    if client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / "client.crt")
    return context


def trouble(
    folder: Path, settings: Mirror, host: str = "a.example", *, server: str = "server"
) -> Trouble:
    """Return the trouble of a handshake that fails."""
    with served(server_context(folder, server)) as wire, pytest.raises(WireError) as raised:
        wire.start_tls(tls_context(settings, ""), host)
    return raised.value.trouble


def test_bytes_go_both_ways_over_tls(folder: Path) -> None:
    with served(server_context(folder)) as wire:
        wire.start_tls(tls_context(mirror(folder, "server"), ""), "a.example")
        wire.sendall(b"hello")

        assert wire.recv(99) == b"HELLO"


def test_the_end_of_tls_is_the_end_of_the_stream(folder: Path) -> None:
    with served(server_context(folder)) as wire:
        wire.start_tls(tls_context(mirror(folder, "server"), ""), "a.example")
        wire.sendall(b"bye")
        with wire.makefile() as reader, suppress(WireError):
            assert reader.read(3) == b"BYE"


def test_the_nodes_bundle_counts_with_the_mirrors_own_authorities(folder: Path) -> None:
    bundle = (folder / "server.crt").read_text()
    with served(server_context(folder)) as wire:
        wire.start_tls(tls_context(mirror(folder, "other"), bundle), "a.example")
        wire.sendall(b"x")

        assert wire.recv(1) == b"X"


def test_an_unknown_authority_is_named(folder: Path) -> None:
    assert trouble(folder, mirror(folder)) is Trouble.UNKNOWN_CA
    assert trouble(folder, mirror(folder, "other")) is Trouble.UNKNOWN_CA


@pytest.mark.parametrize("server", ["expired", "future"])
def test_a_certificate_beyond_its_days_is_named(folder: Path, server: str) -> None:
    assert trouble(folder, mirror(folder, server), server=server) is Trouble.EXPIRED


@pytest.mark.parametrize("host", ["b.example", "10.0.0.1"])
def test_a_certificate_for_another_name_is_named(folder: Path, host: str) -> None:
    assert trouble(folder, mirror(folder, "server"), host) is Trouble.WRONG_NAME


def test_a_name_counts_in_the_alternative_names_alone(folder: Path) -> None:
    """As in Go, and so in containerd: the common name is not looked at."""
    assert trouble(folder, mirror(folder, "nameless"), server="nameless") is Trouble.WRONG_NAME


def test_a_host_that_is_no_name_is_a_bad_url(folder: Path) -> None:
    assert trouble(folder, mirror(folder, "server"), "") is Trouble.BAD_URL


def test_skip_verify_accepts_any_certificate(folder: Path) -> None:
    with served(server_context(folder)) as wire:
        wire.start_tls(tls_context(mirror(folder, skip_verify=True), ""), "b.example")
        wire.sendall(b"x")

        assert wire.recv(1) == b"X"


@pytest.mark.parametrize("joined", [False, True], ids=["two files", "one file"])
def test_a_client_shows_its_certificate(folder: Path, *, joined: bool) -> None:
    certificate_, key = ((folder / f"client.{end}").read_bytes() for end in ("crt", "key"))
    pair = ClientPair(certificate_ + key, None) if joined else ClientPair(certificate_, key)
    with served(server_context(folder, client=True)) as wire:
        wire.start_tls(tls_context(mirror(folder, "server", client=(pair,)), ""), "a.example")
        wire.sendall(b"x")

        assert wire.recv(1) == b"X"


def test_a_client_without_the_certificate_is_refused(folder: Path) -> None:
    with served(server_context(folder, client=True)) as wire:
        wire.start_tls(tls_context(mirror(folder, "server"), ""), "a.example")
        with pytest.raises(WireError) as raised:
            wire.recv(1)

    assert raised.value.trouble is Trouble.CERTIFICATE


PLAIN = {
    "an HTTP server": (b"HTTP/1.1 400 Bad Request\r\n\r\n", Trouble.NOT_TLS),
    "a server that hangs up": (b"", Trouble.CLOSED),
}


@pytest.mark.parametrize(("answer", "expected"), PLAIN.values(), ids=PLAIN)
def test_a_server_without_tls_is_named(folder: Path, answer: bytes, expected: Trouble) -> None:
    with served(None, answer) as wire, pytest.raises(WireError) as raised:
        wire.start_tls(tls_context(mirror(folder), ""), "a.example")

    assert raised.value.trouble is expected


def test_a_plain_connection_sends_and_receives() -> None:
    with served(None, b"hello") as wire:
        assert wire.recv(99) == b"hello"
        wire.sendall(b"x")
        assert wire.recv(99) == b""


def test_a_reader_reads_lines() -> None:
    with served(None, b"one\ntwo\n") as wire, wire.makefile() as reader:
        assert [reader.readline(), reader.readline()] == [b"one\n", b"two\n"]


def test_the_connection_stays_open_for_its_readers() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"one\n")
        wire = TunnelSocket(cast("Any", ours))
        wire.set_deadline(10)
        reader = wire.makefile()

        wire.close()
        assert reader.readline() == b"one\n"
        reader.close()

        assert theirs.recv(1) == b""


@pytest.mark.parametrize("seconds", [0.05, -1])
def test_a_silent_server_is_given_up_at_the_deadline(seconds: float) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire = TunnelSocket(cast("Any", ours))
        wire.set_deadline(seconds)

        with pytest.raises(WireError) as raised:
            wire.recv(1)

    assert raised.value.trouble is Trouble.TIMEOUT

"""Connections to an API: certificates of both sides, proxies, and logins that end."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fleet.core.failure import Failure
from fleet.kubernetes.client import Cluster, ClusterError
from tests.support.api_server import write_kubeconfig
from tests.support.tcp_server import tcp_server

NODES = "/api/v1/nodes"
DAY = timedelta(days=1)
REFUSED = b'HTTP/1.1 401 Unauthorized\r\nContent-Length: 23\r\n\r\n{"reason":"Unauthorized"'


def certificate(folder: Path, name: str, ends: timedelta) -> tuple[Path, Path]:
    """Write a certificate of its own for a name, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * DAY)
        .not_valid_after(now + ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@contextmanager
def tls_server(folder: Path, ends: timedelta = DAY) -> Iterator[str]:
    """Serve HTTPS as localhost; every login is refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(folder, "localhost", ends))

    def answer(wire: socket.socket) -> None:
        with context.wrap_socket(wire, server_side=True) as secure:
            secure.recv(4096)
            secure.sendall(REFUSED)

    with tcp_server(answer) as port:
        yield f"https://localhost:{port}"


def refused(path: Path, **cluster: Any) -> Failure:
    """Return the failure of one call; `cluster` adds to the cluster of the kubeconfig."""
    text = path.read_text()
    for key, value in cluster.items():
        name = key.replace("_", "-")
        text = text.replace('"server":', f'"{name}": "{value}", "server":')
    path.write_text(text)
    client = Cluster.connect(str(path), seconds=5)
    with pytest.raises(ClusterError) as caught:
        client.get(NODES)
    client.close()
    return caught.value.failure


def test_a_certificate_of_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    with tls_server(tmp_path) as server:
        failure = refused(write_kubeconfig(tmp_path / "k", server, {"token": "t"}))

    assert failure.message == f"no TLS with the API server {server}: self-signed certificate"
    assert "certificate-authority" in failure.remedy


def test_an_expired_certificate_of_the_server_is_named(tmp_path: Path) -> None:
    with tls_server(tmp_path, -DAY) as server:
        path = write_kubeconfig(tmp_path / "k", server, {"token": "t"})
        failure = refused(path, certificate_authority="localhost.crt")

    assert failure.message.endswith(": certificate has expired")


def test_a_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    with tls_server(tmp_path) as server:
        path = write_kubeconfig(tmp_path / "k", server, {"token": "t"})
        failure = refused(
            path, certificate_authority="localhost.crt", tls_server_name="api.example"
        )

    assert "certificate is not valid for 'api.example'" in failure.message


@pytest.mark.parametrize(("ends", "expired"), [(-DAY, True), (DAY, False)])
def test_an_expired_login_is_named(ends: timedelta, expired: bool, tmp_path: Path) -> None:
    crt, key = certificate(tmp_path, "admin", ends)
    with tls_server(tmp_path) as server:
        user = {"client-certificate": str(crt), "client-key": str(key)}
        path = write_kubeconfig(tmp_path / "k", server, user)
        failure = refused(path, certificate_authority="localhost.crt")

    day = (datetime.now(UTC) + ends).date()
    assert failure.message == (
        f"the client certificate for the cluster lab expired on {day}"
        if expired
        else "the cluster lab does not accept the kubeconfig's login"
    )


def test_a_proxy_that_cannot_be_reached_is_told_without_its_login(tmp_path: Path) -> None:
    path = write_kubeconfig(tmp_path / "k", "https://api.example", {"token": "t"})
    failure = refused(path, proxy_url="http://u:s3cret@127.0.0.1:1")

    assert failure.message == (
        "the proxy to the API server https://api.example cannot be used: Connection refused"
    )


def test_a_key_that_does_not_fit_is_a_failure(tmp_path: Path) -> None:
    crt, _ = certificate(tmp_path, "admin", DAY)
    _, key = certificate(tmp_path, "other", DAY)
    with tls_server(tmp_path) as server:
        user = {"client-certificate": str(crt), "client-key": str(key)}
        failure = refused(write_kubeconfig(tmp_path / "k", server, user))

    assert failure.message == f"no TLS with the API server {server}: key values mismatch"


def test_an_answer_that_is_too_large_is_a_failure(tmp_path: Path) -> None:
    def flood(wire: socket.socket) -> None:
        wire.recv(4096)
        wire.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            wire.sendall(b" " * (1 << 20))

    with tcp_server(flood) as port:
        path = write_kubeconfig(tmp_path / "k", f"http://127.0.0.1:{port}", {"token": "t"})
        failure = refused(path)

    assert failure.remedy

"""PEM: what Go would find in a file, and a cost that grows with the text alone."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from fleet.core.text.pem import holds_certificate, key_problem

KINDS = {
    "RSA": ("-newkey", "rsa:2048"),
    "EC": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
    "Ed25519": ("-newkey", "ed25519"),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_openssl_writes_is_found(kind: tuple[str, ...], tmp_path: Path) -> None:
    files = (tmp_path / "key.pem", tmp_path / "certificate.pem")
    command = ("openssl", "req", "-x509", *kind, "-nodes", "-subj", "/CN=a", "-days", "1")
    subprocess.run(
        (*command, "-keyout", files[0], "-out", files[1]), check=True, capture_output=True
    )
    key, certificate = (path.read_bytes() for path in files)

    for newline in (b"\n", b"\r\n"):
        both = [text.replace(b"\n", newline) for text in (key, certificate)]
        assert key_problem(both[0]) == ""
        assert holds_certificate(b"Subject: a" + newline + both[1])
    assert not holds_certificate(key)
    assert key_problem(certificate) == "contains no private key in PEM form"
    assert not holds_certificate(certificate[: len(certificate) // 2])
    assert not holds_certificate(certificate.replace(b"M", b"N", 1))


@pytest.mark.parametrize(
    "piece",
    [
        b"-----BEGIN CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n-----END X-----\n",
        b"-----BEGIN A-----\nMAMCAQE=\n-----END A-----\n",
        b"-----BEGIN " + b"A" * 60 + b"\n",
        b"M",
        b"\n",
        b"A: b\n",
    ],
)
def test_a_megabyte_is_read_at_once(piece: bytes) -> None:
    text = piece * (1_000_000 // len(piece))
    began = time.process_time()

    holds_certificate(text)
    key_problem(b"-----BEGIN PRIVATE KEY-----\n" + text + b"\n-----END PRIVATE KEY-----\n")

    assert time.process_time() - began < 1

"""Warnings of certificates that have expired or soon will."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from fleet.config.load import load_mirrors
from fleet.config.mirrors.certificates import expiry_warnings

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
KEY_PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificate(end: datetime, name: str = "harbor-ca") -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=900))
        .not_valid_after(end)
        .sign(KEY, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


DATES = {
    "a year": (timedelta(days=365), []),
    "31 days": (timedelta(days=31), []),
    "30 days": (
        timedelta(days=30),
        ["the certificate of harbor-ca expires on 2026-12-27, in 30 days"],
    ),
    "a day": (timedelta(days=1), ["the certificate of harbor-ca expires on 2026-11-28, in 1 day"]),
    "over": (timedelta(days=-1), ["the certificate of harbor-ca expired on 2026-11-26"]),
}


@pytest.mark.parametrize(("left", "expected"), DATES.values(), ids=DATES)
def test_the_last_30_days_of_a_certificate_are_warned_of(
    left: timedelta, expected: list[str]
) -> None:
    assert expiry_warnings(certificate(NOW + left), NOW) == expected


def test_a_bundle_names_the_first_that_end_and_counts_the_rest() -> None:
    days = (300, 3, -5, 1, 2, 4)
    bundle = b"".join(certificate(NOW + timedelta(days=day), f"ca{day}") for day in days)

    found = expiry_warnings(bundle, NOW)

    assert [text.partition(" expire")[0] for text in found] == [
        "the certificate of ca-5",
        "the certificate of ca1",
        "the certificate of ca2",
        "2 more certificates like that",
    ]


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nca\n", b"\xff\x00"])
def test_what_is_not_a_certificate_has_no_date(content: bytes) -> None:
    assert expiry_warnings(content, NOW) == []


PLACES = {
    "a CA of an endpoint": "{url: https://a, ca: old.pem}",
    "a client certificate": "{url: https://a, client: [[old.pem, key.pem]]}",
    "certificate and key in one file": "{url: https://a, client: both.pem}",
    "a CA of a host": "https://b.example",
}


@pytest.mark.parametrize("endpoint", PLACES.values(), ids=PLACES)
def test_every_certificate_is_looked_at_once(tmp_path: Path, endpoint: str) -> None:
    old = certificate(datetime.now(UTC) - timedelta(days=3))
    for name, content in {"old": old, "key": KEY_PEM, "both": old + KEY_PEM}.items():
        (tmp_path / f"{name}.pem").write_bytes(content)
    path = tmp_path / "mirrors.yaml"
    text = f"mirrors: {{quay.io: {{endpoints: [{endpoint}]}}}}\n"
    if "b.example" in endpoint:
        text += "configs: {b.example: {tls: {ca_file: old.pem}}}\n"
    path.write_text(text)

    _, warnings = load_mirrors(path)

    assert len(warnings) == 1
    assert ".pem: the certificate of harbor-ca expired on " in warnings[0].message

"""Dates of the certificates that mirrors.yaml names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from fleet.core.text.counts import counted

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

SOON = timedelta(days=30)


_MOST = 3
"""The most certificates of one file that are named."""


def expiry_warnings(content: bytes, now: datetime) -> list[str]:
    """Return a text for each certificate that has expired or soon will, the first ones first.

    A file that cannot be parsed gives none: other checks say what is wrong with it.
    """
    from cryptography import x509  # noqa: PLC0415 - only files with certificates pay for it

    try:
        certificates = x509.load_pem_x509_certificates(content)
        dated = sorted(((_end(each), _name(each)) for each in certificates), key=lambda pair: pair)
    except (ValueError, TypeError):
        return []
    due = [(end, name) for end, name in dated if end <= now + SOON]
    texts = [_text(end, name, now) for end, name in due[:_MOST]]
    more = len(due) - _MOST
    return [*texts, f"{counted(more, 'more certificate')} like that"] if more > 0 else texts


def _text(end: datetime, name: str, now: datetime) -> str:
    day = end.date().isoformat()
    if end <= now:
        return f"the certificate of {name} expired on {day}"
    days = counted((end - now).days, "day")
    return f"the certificate of {name} expires on {day}, in {days}"


def _end(certificate: Certificate) -> datetime:
    """Return the end of a certificate; older releases of cryptography give it without a zone."""
    end: datetime | None = getattr(certificate, "not_valid_after_utc", None)
    return end or certificate.not_valid_after.replace(tzinfo=UTC)


def _name(certificate: Certificate) -> str:
    """Return the common name of a certificate, or its whole subject."""
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string() or "no name"

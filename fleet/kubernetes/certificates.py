"""The end of a kubeconfig's client certificate."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path


def expired_on(path: str | None, now: datetime) -> date | None:
    """Return the day on which a client certificate has expired; None if it has not."""
    from cryptography import x509  # noqa: PLC0415 - only a refused login pays for it

    if path is None:
        return None
    try:
        certificate = x509.load_pem_x509_certificate(Path(path).read_bytes())
    except (OSError, ValueError, TypeError):
        return None
    # Older releases of cryptography give the end without a zone.
    end = getattr(certificate, "not_valid_after_utc", None)
    end = end or certificate.not_valid_after.replace(tzinfo=UTC)
    return end.date() if end <= now else None

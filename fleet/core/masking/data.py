"""The last step before data is printed: logins are removed from URLs."""

from __future__ import annotations

from typing import Any

from fleet.core.masking.logins import login_spans
from fleet.core.masking.spans import replaced, stars


def without_logins(text: str) -> str:
    """Return text in which no URL has a login."""
    if "@" not in text and "%40" not in text:
        return text
    return replaced(text, login_spans(text), stars)


def clean_data(data: Any) -> Any:
    """Return data in which no URL has a login, in keys as in values."""
    if isinstance(data, str):
        return without_logins(data)
    if isinstance(data, dict):
        return {without_logins(str(key)): clean_data(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [clean_data(value) for value in data]
    return data

"""Values of settings that are not secrets by name: logins and secrets inside their text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fleet.core.masking.logins import login_spans
from fleet.core.masking.spans import Span
from fleet.core.masking.unstructured import free_text_spans

_HINT = re.compile(r"[@=]|%40|: |[\"']\s?:|basic|bearer|eyJ|-----|\n", re.IGNORECASE)
_ODD = re.compile(r"[\s\"'<>`]")
_IMAGE = re.compile(r"[\w./:-]+@sha256:[0-9a-f]+")


def cost(value: str) -> int:
    """Return how many plain values cost as much to look at as this one."""
    return 12 if "@" in value else 1


def scalar_spans(raw: str, value: str, start: int) -> Iterator[Span]:
    """Yield what is hidden of a value that stands as `raw` from `start` on and means `value`."""
    if not _HINT.search(value) or _IMAGE.fullmatch(value):
        return
    logins = [*login_spans(value)]
    if _has_odd_login(value) or _beyond_logins(value, logins):
        yield start, start + len(raw)
    elif logins:
        yield from _login_inside(raw, value, start)


def _has_odd_login(value: str) -> bool:
    """Tell whether a URL has a login with a character that ends words; in linear time."""
    rests = (part.partition("://")[2] for part in value.split("@")[:-1])
    return any(_ODD.search(rest) for rest in rests)


def _beyond_logins(value: str, logins: list[Span]) -> bool:
    """Tell whether a text holds secrets of another form than a login."""
    return free_text_spans(value) != logins


def _login_inside(raw: str, value: str, start: int) -> Iterator[Span]:
    """Hide the login alone where the raw text shows it as it is; else the whole value."""
    inside = [*login_spans(raw)]
    hidden = {value[a:b] for a, b in login_spans(value)}
    if inside and {raw[a:b] for a, b in inside} == hidden:
        yield from ((start + a, start + b) for a, b in inside)
    else:
        yield start, start + len(raw)


def key_spans(raw: str, value: str, start: int) -> Iterator[Span]:
    """Yield what is hidden of a key: the login of a URL."""
    if ("@" in value or "%40" in value) and any(login_spans(value)):
        yield from _login_inside(raw, value, start)

"""Secrets inside values of settings whose names do not show that they are secret."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fleet.core.masking.logins import login_spans
from fleet.core.masking.secret_keys import visibility_of
from fleet.core.masking.spans import Span
from fleet.core.masking.unstructured import free_text_spans

_HINT = re.compile(
    r"[@=]|%40|:(?![/0-9])|basic|bearer|eyJ|-----|LS0tLS1C|\n|(?<!\S)-[-pu]|gh[a-z]_|pat[-_]",
    re.IGNORECASE,
)
_ODD = re.compile(r"[\s\"'<>`]")
_IMAGE = re.compile(r"[\w./:-]+@sha256:[0-9a-f]+")


_OPTION = re.compile(r"--?(?P<name>[a-zA-Z][\w-]{0,60})")


def names_secret_option(value: str) -> bool:
    """Return whether a word of a command line is an option whose value is the next word."""
    match = _OPTION.fullmatch(value)
    return match is not None and visibility_of(match["name"]).hidden


def cost(value: str) -> int:
    """Return the cost of checking this value, in units of a plain value."""
    return 12 if "@" in value else 1


def scalar_spans(raw: str, value: str, start: int) -> Iterator[Span]:
    """Yield the spans to hide in a value: `raw` is its text at `start`, `value` its meaning."""
    if not _HINT.search(value) or _IMAGE.fullmatch(value):
        return
    logins = [*login_spans(value)]
    if _has_odd_login(value) or _has_other_secrets(value, logins):
        yield start, start + len(raw)
    elif logins:
        yield from _login_inside(raw, value, start)


def _has_odd_login(value: str) -> bool:
    """Return whether a URL has a login with a space or quote in it; in linear time."""
    rests = (part.partition("://")[2] for part in value.split("@")[:-1])
    return any(_ODD.search(rest) for rest in rests)


def _has_other_secrets(value: str, logins: list[Span]) -> bool:
    """Return whether a text holds secrets other than these logins."""
    return free_text_spans(value) != logins


def _login_inside(raw: str, value: str, start: int) -> Iterator[Span]:
    """Yield only the login if the raw text has it unescaped; otherwise the whole value."""
    inside = [*login_spans(raw)]
    hidden = {value[first:last] for first, last in login_spans(value)}
    if inside and {raw[first:last] for first, last in inside} == hidden:
        yield from ((start + first, start + last) for first, last in inside)
    else:
        yield start, start + len(raw)


def key_spans(raw: str, value: str, start: int) -> Iterator[Span]:
    """Yield the spans to hide in a key: the login of a URL."""
    if ("@" in value or "%40" in value) and any(login_spans(value)):
        yield from _login_inside(raw, value, start)

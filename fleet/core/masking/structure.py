"""Structure of text that cannot be parsed: known settings, brackets, line endings; no values."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fleet.core.masking.spans import Span

_MOST_CHARACTERS = 100_000
_MOST_LINES = 5_000
_KNOWN = (
    "version|root|state|imports|plugins|grpc|registry|mirrors|configs|auths?|tls|headers?|host"
    "|server|capabilities|ca|client|skip_verify|override_path|dial_timeout|config_path|endpoints?"
    "|username|password|identity_?token|rewrite|ca_file|cert_file|key_file|insecure_skip_verify"
    "|defaults|overrides|match|fallback|verify|url|all|children|hosts|vars|user|port|become"
)
_NAME = rf"(?:{_KNOWN}|[\"']io\.containerd\.[a-z0-9.-]{{1,60}}[\"'])"
_LINE = re.compile(
    rf"[ \t]*+(?:#[ \t]*+)?(?:"
    rf"\[{{1,2}}{_NAME}(?:\.{_NAME})*+\]{{1,2}}[ \t\r]*+\Z"
    rf"|(?:-[ \t]++)?[\"']?(?:{_KNOWN})[\"']?[ \t]*+[=:](?:[ \t]*+[\[{{])*+[ \t]*+"
    rf"|[\]\[{{}}(), \t\r-]*+\Z)?+"
)
_END = re.compile(r"[\]\[{}(), \t\r]*+\Z")


def structure_spans(text: str, start: int, *, short: bool = True) -> Iterator[Span]:
    """Yield the spans of all values from `start` on; a long text is hidden completely."""
    if not short or len(text) - start > _MOST_CHARACTERS:
        yield start, len(text)
        return
    at = start
    for number, line in enumerate(text[start:].split("\n")):
        if number == _MOST_LINES:
            yield at, len(text)
            return
        shown = _LINE.match(line)
        head = shown.end() if shown else 0
        yield at + head, at + len(line.rstrip())
        at += len(line) + 1

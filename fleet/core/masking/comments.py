"""Secrets in comments of TOML and YAML, such as a setting that was commented out."""

from __future__ import annotations

import re

from fleet.core.masking.spans import Span, lowered
from fleet.core.masking.unstructured import free_text_spans

# Python before 3.11.5 lets a possessive group keep what its last, failed turn has read.
BLOCK = re.compile(r"#[^\n]*+(?:\n[ \t]*+#[^\n]*+)*")
"""Comments on consecutive lines."""
_WORD = re.compile(
    r"passw(?:or)?d|passphrase|secret|token|credential|header|cookie|bearer|private|api_?-?key"
    r"|auth(?<![a-z]auth)(?:s|orization)?(?![a-z])|basic(?![a-z])|pass(?<![a-z]pass)(?![a-z])"
    r"|pwd(?<![a-z]pwd)(?![a-z])|pw(?<![a-z]pw)(?![a-z])|creds?(?![a-z])|login|identity_?token"
)
"""It is matched against text in lower case, because a small set of first letters is fast."""


def names_secret(text: str, start: int, end: int) -> bool:
    """Return whether a comment holds a word for a secret."""
    return _WORD.search(lowered(text[start:end])) is not None


def spans(text: str, start: int, end: int, *, hidden: bool) -> list[Span]:
    """Return the spans of a block of comments to hide: all that follows a word for a secret.

    The lines below that word may belong to the same setting, so they are hidden too.
    """
    if hidden:
        return [(start + 1, end)]
    block = text[start:end]
    match = _WORD.search(lowered(block))
    shown = block if match is None else block[: match.end()]
    plain = [(start + first, start + last) for first, last in free_text_spans(shown)]
    return plain if match is None else [*plain, (start + match.end(), end)]

"""The text of an exception of SSH or of the network, for a message."""

from __future__ import annotations


def describe_error(error: BaseException) -> str:
    """Return the text of an exception; that of a system call has no number and no capital."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(error, OSError):
        words = words[:1].lower() + words[1:]
    return words or type(error).__name__

"""The behaviour of each containerd release when a host fails, as tried on its daemons."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.core.containerd.features import Feature, supports
from fleet.core.model.version import ContainerdVersion

_WAITS = "waits forever and asks no other host; crictl pull --pull-timeout ends it"


def on_failure(version: ContainerdVersion) -> Iterator[tuple[str, str]]:
    """Yield each way in which a host fails, and what containerd does then.

    It is the same for a manifest and for each blob.
    """
    yield "refuses, resets, has no DNS or a bad certificate", "asks the next host at once"
    has_dial_timeout = supports(version, Feature.DIAL_TIMEOUT)
    timeout = "its dial_timeout, else 30 s," if has_dial_timeout else "30 s"
    yield "drops packets", f"asks the next host after {timeout} for every request"
    has_response_timeout = supports(version, Feature.RESPONSE_TIMEOUT)
    yield (
        "connects and never answers",
        "asks the next host after 30 s" if has_response_timeout else _WAITS,
    )
    yield "says 404", "asks the next host; if all say so, the pull fails with NotFound"
    repeats_by_get = supports(version, Feature.HEAD_403_AGAIN)
    yield (
        "says 403",
        "asks it once more by GET, then the next host" if repeats_by_get else "asks the next host",
    )
    yield "says 401, and wants a token", "fetches a token, and asks the host again"
    yield "says 401 otherwise, or 5xx", "asks the next host"
    tries = "five" if has_response_timeout else "six"
    yield "says 408 or 429", f"asks it up to {tries} times without a pause, then the next host"
    yield "says 200 with a web page", "fails the pull, and asks no other host"
    yield "has the manifest and not the blob", "asks the next host for that blob"
    yield "is one of several that fail", "names in its error the first that did not say 404"

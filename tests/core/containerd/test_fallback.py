"""The fallback of each release after a host has failed."""

from __future__ import annotations

import pytest

from fleet.core.containerd.fallback import on_failure
from tests.support.build import release

DROPS, SILENT, FORBIDDEN, BUSY = (
    "drops packets",
    "connects and never answers",
    "says 403",
    "says 408 or 429",
)

WAITS = "waits forever and asks no other host; crictl pull --pull-timeout ends it"
DIFFERENCES = {
    DROPS: {
        "1.7.24": "asks the next host after 30 s for every request",
        "2.0.6": "asks the next host after 30 s for every request",
        "2.0.7": "asks the next host after its dial_timeout, else 30 s, for every request",
        "2.3.0": "asks the next host after its dial_timeout, else 30 s, for every request",
    },
    SILENT: {
        "1.5.18": WAITS,
        "2.2.7": WAITS,
        "2.3.0": "asks the next host after 30 s",
    },
    FORBIDDEN: {
        "2.3.2": "asks the next host",
        "2.3.3": "asks it once more by GET, then the next host",
    },
    BUSY: {
        "2.2.7": "asks it up to six times without a pause, then the next host",
        "2.3.0": "asks it up to five times without a pause, then the next host",
    },
}


@pytest.mark.parametrize(
    ("way", "version", "effect"),
    [(way, text, effect) for way, rows in DIFFERENCES.items() for text, effect in rows.items()],
)
def test_what_differs_between_releases(way: str, version: str, effect: str) -> None:
    assert dict(on_failure(release(version)))[way] == effect


@pytest.mark.parametrize("version", ["1.4.13", "1.7.24", "2.1.9", "2.3.4"])
def test_every_other_way_is_the_same_in_all_releases(version: str) -> None:
    ways = dict(on_failure(release(version)))

    assert {way: effect for way, effect in ways.items() if way not in DIFFERENCES} == {
        "refuses, resets, has no DNS or a bad certificate": "asks the next host at once",
        "says 404": "asks the next host; if all say so, the pull fails with NotFound",
        "says 401, and wants a token": "fetches a token, and asks the host again",
        "says 401 otherwise, or 5xx": "asks the next host",
        "says 200 with a web page": "fails the pull, and asks no other host",
        "has the manifest and not the blob": "asks the next host for that blob",
        "is one of several that fail": "names in its error the first that did not say 404",
    }

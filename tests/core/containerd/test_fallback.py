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

WAITS = "it waits without end, and asks no other host; crictl pull --pull-timeout ends it"
DIFFERENCES = {
    DROPS: {
        "1.7.24": "the next host, after 30 s for every request",
        "2.0.6": "the next host, after 30 s for every request",
        "2.0.7": "the next host, after its dial_timeout, else 30 s, for every request",
        "2.3.0": "the next host, after its dial_timeout, else 30 s, for every request",
    },
    SILENT: {
        "1.5.18": WAITS,
        "2.2.7": WAITS,
        "2.3.0": "the next host, after 30 s",
    },
    FORBIDDEN: {
        "2.3.2": "the next host",
        "2.3.3": "asked once more by GET, then the next host",
    },
    BUSY: {
        "2.2.7": "up to six requests without a pause, then the next host",
        "2.3.0": "up to five requests without a pause, then the next host",
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
        "refuses, resets, has no DNS or a bad certificate": "the next host, at once",
        "says 404": "the next host; if all say so, the pull fails with NotFound",
        "says 401, and wants a token": "a token is fetched, and the host asked again",
        "says 401 otherwise, or 5xx": "the next host",
        "says 200 with a web page": "the pull fails; no other host is asked",
        "has the manifest and not the blob": "that blob from the next host",
        "is one of several that fail": "the error names the first that did not say 404",
    }

"""Notes on hosts that failed, or that served a part of an image alone."""

from __future__ import annotations

from fleet.core.model.outcome import HostAttempt
from fleet.core.verify.trace import Trace
from fleet.core.verify.trace_notes import mixed_notes, passed_over

REFUSED = HostAttempt("a.test", "resolve", "connection refused")


def test_a_host_that_did_not_resolve_the_name_is_named_once() -> None:
    trace = Trace(hops=(REFUSED, REFUSED, HostAttempt("b.test", "resolve", "200 OK")))

    assert passed_over(trace) == ["a.test failed (connection refused)"]


def test_a_host_that_refused_the_layers_is_named_with_the_one_that_served_them() -> None:
    hops = (
        HostAttempt("a.test", "resolve", "200 OK"),
        HostAttempt("a.test", "blob", "403 Forbidden"),
        HostAttempt("b.test", "blob", "200 OK"),
    )

    assert mixed_notes(Trace(hops=hops, resolved="a.test"), "b.test") == [
        "a.test refused the layers: 403 Forbidden (not in its allow-list)",
        "a.test resolved the name, b.test served the layers",
    ]


def test_a_host_that_served_all_needs_no_note() -> None:
    trace = Trace(hops=(HostAttempt("a.test", "resolve", "200 OK"),), resolved="a.test")

    assert (passed_over(trace), mixed_notes(trace, "a.test")) == ([], [])

"""A report as JUnit XML."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from fleet.core.report.junit import junit
from tests.support.reports import node, report

FAILURE = {"kind": "verify", "step": "verify", "message": "no pull", "evidence": "log"}


def test_the_suite_counts_failures_and_skipped_nodes() -> None:
    nodes = {
        "a": node(),
        "b": node("failed"),
        "c": node("pending"),
        "d": node("stale"),
        "e": node(),
    }

    suite = ElementTree.fromstring(junit(report(nodes)))

    assert suite.attrib == {
        "name": "fleet rollout 20260101-000000-abcd",
        "timestamp": "2026-01-01T10:20:30.123+00:00",
        "tests": "5",
        "failures": "2",
        "skipped": "1",
        "time": "10.0",
    }


def test_a_node_is_a_test_case_with_its_time() -> None:
    suite = ElementTree.fromstring(junit(report({"a": node(seconds=2.5)})))

    (case,) = suite
    assert case.attrib == {"name": "a", "classname": "fleet.rollout", "time": "2.5"}
    assert list(case) == []


@pytest.mark.parametrize("seconds", [None, 0])
def test_a_node_without_a_time_took_none(seconds: float | None) -> None:
    (case,) = ElementTree.fromstring(junit(report({"a": node(seconds=seconds)}, seconds=None)))

    assert case.get("time") == "0"


@pytest.mark.parametrize("status", ["rolled_back", "failed", "unreachable", "stale", "degraded"])
def test_a_failed_node_has_its_failure_and_its_evidence(status: str) -> None:
    suite = ElementTree.fromstring(junit(report({"a": node(status, failure=FAILURE)})))

    failure = suite.find("testcase/failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message"), failure.text) == (
        "verify",
        "no pull",
        "log",
    )


def test_a_failed_node_without_a_failure_has_its_status() -> None:
    failure = ElementTree.fromstring(junit(report({"a": node("stale")}))).find("testcase/failure")

    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == ("stale", "stale")


def test_a_pending_node_is_skipped() -> None:
    skipped = ElementTree.fromstring(junit(report({"a": node("pending")}))).find("testcase/skipped")

    assert skipped is not None
    assert skipped.get("message") == "never started"


@pytest.mark.parametrize("status", ["converged", "unchanged"])
def test_a_node_that_is_well_is_neither_failed_nor_skipped(status: str) -> None:
    (case,) = ElementTree.fromstring(junit(report({"a": node(status)})))

    assert list(case) == []


def test_a_registry_without_a_pull_is_in_the_output_of_its_node() -> None:
    suite = ElementTree.fromstring(junit(report({"a": node(unproven=["quay.io"])})))

    assert suite.findtext("testcase/system-out") == "not verified by a pull: quay.io (a)"


def test_control_characters_of_a_node_are_made_visible() -> None:
    failure = {**FAILURE, "message": "a\x1b", "evidence": "b\x07"}

    text = junit(report({"a": node("failed", failure=failure)}))

    assert "a\\x1b" in text
    assert "b\\x07" in text


def test_the_document_has_a_declaration_and_ends_with_a_line_end() -> None:
    text = junit(report({}))

    assert text.startswith("<?xml version=")
    assert text.endswith("\n")


def test_a_converged_node_that_a_gate_has_flagged_is_a_failure() -> None:
    wrong = {**FAILURE, "kind": "cluster", "message": "the Node is not Ready"}

    suite = ElementTree.fromstring(junit(report({"a": node(failure=wrong)})))

    (case,) = suite
    found = case.find("failure")
    assert found is not None
    assert (suite.attrib["failures"], found.attrib["message"]) == ("1", "the Node is not Ready")

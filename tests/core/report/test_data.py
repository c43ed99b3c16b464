"""Reports: the journal's fold as data, as a page and as JUnit XML."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

from fleet.core.history.replay import JournalEntry
from fleet.core.masking import stars
from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan
from fleet.core.report.data import planned_data, report_data
from fleet.core.report.html import html
from fleet.core.report.junit import junit
from tests.support.schemas import fits

EVIL = "<script>alert(1)</script>\x1b]0;owned\x07"
ABOUT = {
    "kind": "rollout",
    "operator": "eve@there",
    "files": {"inventory.yaml": "ab" * 32, "mirrors.yaml": None},
    "batches": [["a"], ["b", "c"]],
    "flags": {"batch": "1,25%", "message": "OPS-12"},
}


def at(second: float) -> str:
    return f"2026-01-01T00:00:{second:06.3f}+00:00"


def plans() -> dict[str, object]:
    change = Change("/etc/x", None, ManagedFile(b"new line\n", 0o644))
    return planned_data(
        [
            NodePlan(node=Node(name=name, host=name), strategy="certs.d", changes=(change,))
            for name in "abc"
        ],
        stars,
    )


def test_the_message_is_not_among_the_flags() -> None:
    data = report_data("r1", at(0), ABOUT, [])

    assert (data["message"], data["flags"]) == ("OPS-12", {"batch": "1,25%"})


def entries() -> list[JournalEntry]:
    pull = {"image": "busybox", "ok": True, "via": "ctr", "mirror": "m", "seconds": 0.5}
    good = {"status": "converged", "strategy": "certs.d", "containerd": "1.7", "verified": [pull]}
    bad = {
        "status": "rolled_back",
        "strategy": "certs.d",
        "containerd": "1.7",
        "failure": {"kind": "health", "step": "health", "message": EVIL, "evidence": EVIL},
    }
    return [
        JournalEntry(at(0), "planned", None, plans()),
        JournalEntry(at(0), "settled", "z", {"status": "unchanged", "containerd": "2.1"}),
        *(JournalEntry(at(1), "moved", name, {"status": "staging"}) for name in "abc"),
        *(JournalEntry(at(2), "moved", name, {"status": "staged"}) for name in "abc"),
        JournalEntry(at(2), "batch", None, {"number": 1}),
        JournalEntry(at(3), "moved", "a", {"status": "running"}),
        JournalEntry(at(8), "moved", "a", {**good, "seconds": 5.0}),
        JournalEntry(at(9), "batch", None, {"number": 2}),
        JournalEntry(at(9), "moved", "b", {"status": "running"}),
        JournalEntry(at(12), "moved", "b", {**bad, "seconds": 3.0}),
        JournalEntry(at(13), "moved", "c", {"status": "pending"}),
        JournalEntry(at(13), "ended", None, {"status": "halted", "reason": "1 failed"}),
    ]


def told() -> dict[str, object]:
    return report_data("r1", at(0), ABOUT, entries())


def test_the_data_fits_its_schema() -> None:
    fits("report", json.loads(json.dumps(told())))


def test_the_data_tells_batches_steps_and_counts() -> None:
    report = told()

    assert report["counts"] == {"converged": 1, "rolled_back": 1, "pending": 1, "unchanged": 1}
    assert (report["status"], report["seconds"]) == ("halted", 13.0)
    assert [each["began"] for each in report["batches"]] == [2.0, 9.0]
    assert report["nodes"]["a"]["steps"] == [
        {"step": "stage", "began": 1.0, "ended": 2.0, "status": "staged"},
        {"step": "activate", "began": 3.0, "ended": 8.0, "status": "converged"},
    ]
    assert report["mirrors"] == [
        {
            "image": "busybox",
            "mirror": "m",
            "via": "ctr",
            "pulls": 1,
            "failed": 0,
            "median": 0.5,
            "slowest": 0.5,
        }
    ]
    (plan,) = report["plans"]
    assert (plan["node_ranges"], plan["nodes"]) == ("a,b,c", ["a", "b", "c"])
    assert "+new line" in plan["changes"][0]["diff"]


class Parser(HTMLParser):
    """Checks that tags are closed in order, and collects what a page would load."""

    VOID = ("meta", "line", "rect", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [str(value) for key, value in attrs if key in {"src", "href"}]
        if tag not in self.VOID or tag in {"line", "rect"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing() -> None:
    page = html(told())
    parser = Parser()
    parser.feed(page)

    assert parser.open == []
    assert parser.loads == []
    assert "script" not in parser.tags
    assert not re.search(r"url\(|@import|https?://", page)
    assert "prefers-color-scheme: dark" in page


def test_nothing_that_a_node_said_is_markup() -> None:
    page = html(told())

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b]0;owned" in page
    assert "\x1b" not in page + junit(told())


def test_registries_without_a_pull_are_named_in_page_and_junit() -> None:
    silent = {"status": "converged", "unproven": ["quay.io", EVIL]}
    moved = [JournalEntry(at(9), "moved", name, silent) for name in "ac"]
    report = report_data("r1", at(0), ABOUT, [*entries(), *moved])

    page, suite = html(report), ElementTree.fromstring(junit(report))

    shown = "not verified by a pull: quay.io, &lt;script&gt;alert(1)&lt;/script&gt;\\x1b]0;owned"
    assert f'<p class="names warn">{shown}\\x07 (a,c)</p>' in page
    assert "not verified by a pull" not in html(told())
    told_of = {case.get("name"): case.findtext("system-out") for case in suite.iter("testcase")}
    assert told_of["b"] is None
    assert (told_of["a"] or "").startswith("not verified by a pull: quay.io, <script>")


def test_junit_has_a_case_for_every_node() -> None:
    suite = ElementTree.fromstring(junit(told()))

    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "1")
    failed = suite.find("testcase[@name='b']/failure")
    assert failed is not None
    assert failed.get("type") == "health"
    assert suite.find("testcase[@name='c']/skipped") is not None


def test_a_rollout_that_never_ended_can_be_reported() -> None:
    report = report_data("r1", at(0), ABOUT, entries()[:8])

    assert (report["status"], report["seconds"]) == ("interrupted", None)
    assert report["nodes"]["b"]["status"] == "pending"
    assert "not ended" in html(report)

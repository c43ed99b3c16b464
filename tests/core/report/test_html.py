"""The page of a report: its sections, what it shows of nodes, and text that stays text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from fleet.core.report.html import POLICY, html
from tests.support.reports import node, report

FAILURE = {"kind": "verify", "step": "verify", "message": "no pull", "evidence": "log of a"}


class Page(HTMLParser):
    """Collects the text of each element of a page, by its tag."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._open: list[tuple[str, list[str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, key, value) for key, value in attrs]
        if tag not in {"meta", "br"}:
            self._open.append((tag, []))

    def handle_endtag(self, tag: str) -> None:
        name, parts = self._open.pop()
        assert name == tag
        self.texts.setdefault(tag, []).append("".join(parts))

    def handle_data(self, data: str) -> None:
        for _, parts in self._open:
            parts.append(data)


def page(nodes: dict[str, dict[str, Any]], **more: Any) -> Page:
    return Page(html(report(nodes, **more)))


def test_the_title_names_the_rollout() -> None:
    assert page({}).texts["title"] == ["fleet rollout finished: 20260101-000000-abcd"]


def test_the_page_may_load_and_run_nothing() -> None:
    assert ("meta", "content", POLICY) in page({}).attributes
    assert POLICY.startswith("default-src 'none'")


def test_a_section_without_content_is_left_out() -> None:
    assert page({}).texts.get("h2", []) == []


def test_the_sections_of_a_rollout() -> None:
    nodes = {"a": node(), "b": node("failed", failure=FAILURE)}
    plan = {
        "node_ranges": "a,b",
        "nodes": ["a", "b"],
        "strategy": "certs.d",
        "disruption": "none",
        "changes": [{"diff": "+a"}],
        "notes": [],
    }
    pull = {
        "image": "busybox",
        "mirror": "m",
        "via": "ctr",
        "pulls": 2,
        "failed": 1,
        "median": 0.5,
        "slowest": 1.0,
    }
    matrix = [{"strategy": "certs.d", "containerd": "1.7.24", "status": "failed", "nodes": 1}]

    titles = page(nodes, plans=[plan], mirrors=[pull], matrix=matrix, files={"a.yaml": "ab"}).texts[
        "h2"
    ]

    assert titles == [
        "Next steps",
        "Failures",
        "Timeline",
        "Nodes",
        "Strategy and containerd",
        "Verification pulls",
        "Applied changes",
        "Changes not applied",
        "Files and flags",
    ]


DURATIONS = {
    "seconds": (9.5, "took 9.5\u00a0s"),
    "a minute": (60, "took 1 min 0\u00a0s"),
    "minutes": (125.4, "took 2 min 5\u00a0s"),
    "not ended": (None, "not ended"),
}


@pytest.mark.parametrize(("seconds", "text"), DURATIONS.values(), ids=list(DURATIONS))
def test_how_long_a_rollout_took(seconds: float | None, text: str) -> None:
    assert page({}, seconds=seconds).texts["p"][0].endswith(text)


def test_the_head_says_who_began_it_and_when() -> None:
    assert (
        page({})
        .texts["p"][0]
        .startswith("20260101-000000-abcd, by ops@workstation, began 2026-01-01 10:20:30 UTC")
    )


@pytest.mark.parametrize(
    ("ending", "tone"),
    [("finished", "good"), ("failed", "bad"), ("halted", "bad"), ("interrupted", "warn")],
)
def test_the_colour_of_the_end(ending: str, tone: str) -> None:
    text = html(report({}, ending=ending))

    assert f'<header class="{tone}">\n  <h1>rollout {ending}</h1>' in text


def test_a_row_for_each_node() -> None:
    cells = page(
        {"a": node(), "b": node("pending", restarted=False, seconds=None, containerd=None)}
    )

    assert cells.texts["td"] == [
        *("a", "~ converged", "certs.d", "1.7.24", "yes", "2 s"),
        *("b", ". pending", "certs.d", "-", "no", "-"),
    ]


def test_what_was_done_with_the_pods_of_each_node() -> None:
    drain = {"cordoned": True, "drained": True, "evicted": ["a/b"], "still_cordoned": False}
    nodes = {
        "a": node(drain=drain),
        "b": node(drain={**drain, "drained": False}),
        "c": node(drain={**drain, "still_cordoned": True}),
        "d": node(drain={**drain, "drained": False, "cordoned": False}),
        "e": node(),
    }

    cells = page(nodes).texts["td"]

    assert cells[6::7] == [
        "1 pod evicted", "was cordoned", "still cordoned", "not cordoned by fleet", "-",
    ]  # fmt: skip


@pytest.mark.parametrize(("count", "summaries"), [(40, []), (41, ["node by node", "all 41 nodes"])])
def test_many_nodes_are_shown_on_demand(count: int, summaries: list[str]) -> None:
    nodes = {f"n{number}": node() for number in range(count)}

    assert page(nodes).texts.get("summary", []) == summaries


def test_a_failure_of_several_nodes_is_shown_once() -> None:
    nodes = {f"n{number}": node("failed", failure=FAILURE) for number in (1, 2, 3)}

    shown = page(nodes)

    assert "n[1-3] (3) ! failed: no pull (verify)" in shown.texts["p"]
    assert shown.texts["pre"] == ["log of a"]


def test_evidence_that_differs_is_shown_for_each_node() -> None:
    nodes = {
        name: node("failed", failure={**FAILURE, "evidence": f"log of {name}"}) for name in "ab"
    }

    shown = page(nodes)

    assert shown.texts["pre"] == ["log of a", "log of b"]
    assert shown.texts["summary"] == ["output of a", "output of b"]


def test_a_failure_without_evidence_has_no_block() -> None:
    assert "pre" not in page({"a": node("failed", failure={**FAILURE, "evidence": ""})}).texts


PLANS = {
    "no change": ([], "none", "a (1): certs.d, no change"),
    "a file": ([{"diff": ""}], "none", "a (1): certs.d, 1 file, no restart"),
    "files": ([{"diff": ""}] * 2, "restart", "a (1): certs.d, 2 files, restart"),
}


@pytest.mark.parametrize(("changes", "disruption", "text"), PLANS.values(), ids=list(PLANS))
def test_the_summary_of_a_plan(changes: list[dict[str, str]], disruption: str, text: str) -> None:
    plan = {
        "node_ranges": "a",
        "nodes": ["a"],
        "strategy": "certs.d",
        "disruption": disruption,
        "changes": changes,
        "notes": [],
    }

    assert page({}, plans=[plan]).texts["summary"] == [text]


def test_the_lines_of_a_diff_have_colours() -> None:
    plan = {
        "node_ranges": "a",
        "nodes": ["a"],
        "strategy": None,
        "disruption": "none",
        "changes": [{"diff": "@@ -1 +1 @@\n-old\n+new\n same"}],
        "notes": ["a note"],
    }

    shown = page({}, plans=[plan])

    assert shown.texts["span"] == ["@@ -1 +1 @@", "-old", "+new"]
    assert "a note" in shown.texts["p"]
    tones = [value for tag, key, value in shown.attributes if (tag, key) == ("span", "class")]
    assert tones == ["at", "del", "add"]


def test_registries_and_the_changes_of_pending_nodes_are_apart() -> None:
    effect = {"subject": "quay.io", "aspect": "mirror", "item": "https://m", "before": None}
    plan = {
        "nodes": ["a", "b"],
        "node_ranges": "a,b",
        "strategy": "certs.d",
        "disruption": "none",
        "changes": [{"diff": "+a"}],
        "meaning": [{**effect, "after": "first"}],
        "notes": [],
    }

    shown = page({"a": node(), "b": node("pending")}, plans=[plan])

    assert shown.texts["td"][:4] == ["quay.io", "+ m first", "a", "b"]
    assert shown.texts["summary"] == [
        "a (1): certs.d, 1 file, no restart",
        "b (1): certs.d, 1 file, no restart",
    ]


def test_only_the_flags_that_were_given_are_shown() -> None:
    shown = page({}, flags={"batch": "1,25%", "soak": 0}, given_flags={"soak": 0})

    assert shown.texts["td"] == ["soak", "0"]


def test_next_steps_are_commands_to_paste() -> None:
    shown = page({"a": node("failed")}, ending="failed")

    assert shown.texts["dd"] == ["fleet rollout --rerun failed 20260101-000000-abcd"]


def test_the_strategies_by_release() -> None:
    matrix = [
        {"strategy": "legacy", "containerd": "1.4.13", "status": "converged", "nodes": 2},
        {"strategy": "certs.d", "containerd": "1.7.24", "status": "converged", "nodes": 3},
        {"strategy": "certs.d", "containerd": "1.7.24", "status": "failed", "nodes": 1},
    ]

    shown = page({}, matrix=matrix)

    assert shown.texts["th"] == ["strategy", "1.4.13", "1.7.24"]
    assert shown.texts["td"] == [
        *("certs.d", "", "3 ~ converged1 ! failed"),
        *("legacy", "2 ~ converged", ""),
    ]


EVIL = "<i>&\x1b"


@pytest.mark.parametrize("key", ["operator", "message", "reason", "ending", "kind", "rollout"])
def test_text_of_the_report_is_never_markup(key: str) -> None:
    text = html(report({}, **{key: EVIL}))

    assert "&lt;i&gt;&amp;\\x1b" in text
    assert not re.search(r"<i>|\x1b", text)


def test_text_of_a_node_is_never_markup() -> None:
    failure = dict.fromkeys(("kind", "step", "message", "evidence"), EVIL)

    text = html(report({EVIL: node("failed", failure=failure, strategy=EVIL, containerd=EVIL)}))

    assert not re.search(r"<i>|\x1b", text)

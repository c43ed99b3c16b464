"""The page of a report: every value is text, wherever it stands, and whatever it holds."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from fleet.core.report.html import POLICY, html
from tests.support.story import told_story

EVIL = "<script>alert(\"x\" & 'y')</script>\x1b[2J{{ 7 * 7 }}{% raw %}"
SHOWN = EVIL.replace("\x1b", "\\x1b")
OURS = {"aspect", "status", "started", "step", "began", "ended"}
"""Keys whose values fleet itself has written, and reads again."""


def poisoned(value: Any) -> Any:
    """Return data with a hostile text after each text, names of nodes and files included."""
    if isinstance(value, dict):
        return {key: part if key in OURS else poisoned(part) for key, part in value.items()}
    if isinstance(value, list):
        return [poisoned(part) for part in value]
    return f"{value}\n{EVIL}" if isinstance(value, str) and value else value


class Page(HTMLParser):
    """The tags and the text of a page; it is not whole if a tag is left open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("count", [1, 60], ids=["one node", "so many that they are folded"])
def test_a_hostile_text_is_only_text_wherever_it_stands(count: int) -> None:
    report = told_story(count)
    hostile = poisoned(report)
    for key in ("nodes", "files", "flags"):
        hostile[key] = {poisoned(name): value for name, value in hostile[key].items()}

    plain, page = Page(html(report)), html(hostile)
    found = Page(page)

    assert found.tags == plain.tags
    assert (found.open, plain.open) == ([], [])
    assert "\x1b" not in page
    assert found.text.count(SHOWN) >= 20


def test_the_browser_is_told_to_load_and_run_nothing() -> None:
    page = html(told_story(4))

    assert f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">' in page
    assert page.startswith("<!doctype html>\n")


def test_evidence_that_differs_is_on_demand_and_the_same_stands_once() -> None:
    report = told_story(4)
    failure = {"kind": "verify", "step": "verify", "message": "failed"}
    for name, node in report["nodes"].items():
        node |= {"status": "rolled_back", "failure": {**failure, "evidence": f"said by {name}"}}
    differing = html(report)
    for node in report["nodes"].values():
        node["failure"] = {**failure, "evidence": "the same words"}
    same = html(report)

    assert [differing.count(f"<pre>said by {name}</pre>") for name in report["nodes"]] == [1] * 4
    assert (differing.count("<details open>"), same.count("<details open>")) == (1, 0)
    assert same.count("<pre>the same words</pre>") == 1
    assert "(4)" in same


def test_a_diff_keeps_its_lines_and_their_colours() -> None:
    report = told_story(1)
    report["plans"][0]["changes"] = [{"path": "/x", "action": "update", "diff": "@@\n-a\n+b\n c"}]

    page = html(report)

    assert (
        '<pre><span class="at">@@</span>\n<span class="del">-a</span>\n'
        '<span class="add">+b</span>\n c\n</pre>'
    ) in page

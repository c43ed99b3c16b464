"""1 MB of any text takes no reader longer than a moment: what is not linear would take minutes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from fleet.core.containerd.dump import ignored_registries, outside_registry
from fleet.core.containerd.proxy import proxy_for
from fleet.core.failure import NodeError, Step
from fleet.core.lint.hosts_toml import hosts_findings
from fleet.core.masking.shown_text import tail
from fleet.core.model.finding import FindingEffect
from fleet.core.model.version import parse_version, parse_version_line
from fleet.core.text.documents import LARGEST, DocumentError, parse_toml
from fleet.core.text.line_diff import diff_lines
from fleet.core.verify.trace import read_log, read_trace
from fleet.errors import printable, shortened
from fleet.node.script import parse_reply

_SIZE = 1 << 20
_SECONDS = 1.0
"""Five times what the slowest reader takes on a machine without other work."""
UNITS = (
    *("a", " ", "\n", '"', "'", "[", "{{", "=", "header.", "://", "a@", "\\", "a\n", "a = 1\n"),
    *("[plugins", ".registry", 'msg="', 'a="\\" ', "https://a/", "\x1b", "a\t=\n", "\t", "a,"),
)
VERSION = parse_version("2.1.4")
assert VERSION is not None


def hosts(text: str) -> None:
    list(hosts_findings("/h", text[: LARGEST - 1], VERSION, FindingEffect.NOTES))


def differ(text: str) -> None:
    lines = text.split("\n")
    diff_lines(lines, [*lines[::2], "x", *lines[1::2]], ("a", "b"))


READERS: dict[str, Callable[[str], object]] = {
    "TOML": lambda text: parse_toml(text[: LARGEST - 1]),
    "hosts.toml": hosts,
    "a dump": outside_registry,
    "warnings of a dump": ignored_registries,
    "a trace": read_trace,
    "a log": lambda text: read_log(text, "docker.io/x:1"),
    "a version": parse_version,
    "a line with a version": parse_version_line,
    "a proxy": lambda text: proxy_for("https://a.example", {"HTTPS_PROXY": text, "NO_PROXY": text}),
    "words for a terminal": printable,
    "the end of an output": tail,
    "a diff": differ,
    "records": lambda text: parse_reply(Step.PROBE, 0, f"hello\t=0\n{text}\nend\t\n", ""),
    "what is no record": lambda text: parse_reply(Step.PROBE, 1, text, text),
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_a_megabyte_of_any_text_takes_a_moment(reader: Callable[[str], object]) -> None:
    slow = {}
    for unit in UNITS:
        text = (unit * (_SIZE // len(unit)))[:_SIZE]
        began = time.process_time()
        with suppress(NodeError, DocumentError):
            reader(text)
        slow[unit] = time.process_time() - began

    assert {unit: took for unit, took in slow.items() if took > _SECONDS} == {}


def test_words_that_are_nearly_too_long_are_read_once() -> None:
    text = f"{'é' * 399} " * (4 * _SIZE // 400)
    began = time.process_time()

    assert shortened(text) == text

    assert time.process_time() - began < _SECONDS


def test_texts_that_repeat_their_lines_are_compared_in_a_moment() -> None:
    """Difflib alone takes minutes for these: no line is frequent enough for it to pass over."""
    old = [str(number * 7919 % 150) for number in range(60_000)]
    new = [str(number * 104_729 % 150) for number in range(60_000)]
    began = time.process_time()

    found = diff_lines(old, new, ("a", "b"))

    assert time.process_time() - began < _SECONDS
    assert found[2].startswith("@@ -")
    assert any("more lines" in line for line in found)


def test_a_small_change_in_a_large_text_is_shown_with_its_place() -> None:
    old = [str(number % 97) for number in range(50_000)]
    new = [*old[:40_000], "new", *old[40_001:]]

    found = diff_lines(old, new, ("a", "b"))

    assert found[2] == "@@ -39998,7 +39998,7 @@"
    assert [line for line in found if line.startswith(("+n", f"-{old[40_000]}"))] == [
        f"-{old[40_000]}",
        "+new",
    ]

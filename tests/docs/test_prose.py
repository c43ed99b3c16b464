"""The sentences of README and the site: short ones, in short paragraphs, in plain words."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import FENCE, PAGES, name
from tests.test_words import BANNED

MEAN, LONGEST = 18, 45
"""Words in a sentence: of all sentences of a page in the mean, and at most."""

PARAGRAPH = 6 * 100
"""Characters: six lines."""

_SKIPPED = re.compile(r"#|\||<!--|!\[|:::|\$|```")
_GENERATED = re.compile(r"<!-- generated: ([\w-]+) -->.*?<!-- /generated: \1 -->", re.DOTALL)
"""Text of the code, which has tests of its own."""

_ITEM = re.compile(r"^ *(?:[-*]|\d+\.|:) +")


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs and list items of a page; code, tables and headings are left out."""
    kept: list[str] = []
    own = FENCE.sub("\n", _GENERATED.sub("\n", text))
    for line in [*own.splitlines(), ""]:
        item = _ITEM.match(line)
        if (not line.strip() or item or _SKIPPED.match(line.strip())) and kept:
            yield " ".join(kept)
            kept = []
        if line.strip() and not _SKIPPED.match(line.strip()):
            kept.append(line[item.end() if item else 0 :].strip())


def sentences(paragraph: str) -> list[str]:
    """Return the sentences of a paragraph; code and links count as their visible words."""
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", paragraph)
    plain = re.sub(r"`[^`]*`", "code", plain)
    return [part for part in re.split(r"(?<=[.!?])\s+", plain) if part.strip()]


def problems(text: str) -> Iterator[str]:
    """Yield what is wrong with the prose of a page."""
    lengths = []
    for paragraph in paragraphs(text):
        if len(paragraph) > PARAGRAPH:
            yield f"a paragraph of more than six lines: {paragraph[:60]}"
        if found := BANNED.search(re.sub(r"`[^`]*`", "", paragraph)):
            yield f"{found.group()!r} is not a plain word: {paragraph[:60]}"
        for sentence in sentences(paragraph):
            lengths.append(len(sentence.split()))
            if lengths[-1] > LONGEST:
                yield f"a sentence of {lengths[-1]} words: {sentence[:60]}"
    if lengths and statistics.mean(lengths) >= MEAN:
        yield f"a mean sentence of {statistics.mean(lengths):.1f} words"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_prose_is_short_and_plain(page: Path) -> None:
    assert list(problems(page.read_text())) == []


def test_the_check_finds_each_kind() -> None:
    long = "word " * 46 + "end.\n\n" + "A sentence. " * 60 + "\n\nTake it in your hands.\n"

    found = list(problems(long))

    assert [re.sub(r"\d.*", "", problem.partition(":")[0]) for problem in found] == [
        "a sentence of ",
        "a paragraph of more than six lines",
        "'hands' is not a plain word",
    ]
    assert list(problems("word " * 20)) == ["a mean sentence of 20.0 words"]
    assert list(problems("| " + "word " * 90 + "|\n```\n" + "word " * 90 + "\n```\n")) == []

"""The words of messages to users: plain, and naming only commands and flags that exist."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import fleet
from fleet.cli.app import fleet as command
from tests.node.test_script_failures import SCRIPTS
from tests.node.test_script_failures import everything as script_failures
from tests.node.test_script_failures import joined as without_comments

ROOT = Path(fleet.__file__).parent
MODULES = {str(path.relative_to(ROOT)): path.read_text() for path in ROOT.rglob("*.py")}
BANNED = re.compile(
    r"\b(somebody|nobody|anybody|hands|(?<!by )hand(?! first)|the other side|laying ready|mid-pass"
    r"|mend(?:s|ed)?|(?<!there )(?:is|are|was|were|be) no(?! longer| more)|fleet's back|told|beats"
    r"|tak(?:e|es|en) (?:it |them )?back|lays?|laid|stands|out of its time|in vain|without end"
    r"|anew|not proven|is ill|counts wrongly)\b",
    re.IGNORECASE,
)
"""Words that a reader would have to learn; "there is no" and "by hand" are plain."""
_QUOTED = re.compile(r"""\"((?:[^"\\]|\\.)*)\"|'([^']*)'""")
FOREIGN = {"--disable-default-registry-endpoint", "--resources"}
"""Flags of other programs."""


def strings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the string literals of a module with their lines, except its docstrings."""
    kinds = {
        tokenize.STRING,
        getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING),
    }
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in kinds and not token.string.lstrip("rf").startswith('"""'):
            yield token.start[0], token.string


def texts() -> Iterator[tuple[str, str]]:
    """Yield the place and the text of everything that may be a part of a message."""
    for name, source in MODULES.items():
        for line, text in strings(source):
            yield f"{name}:{line}", text
    for failure in script_failures():
        yield failure.script, failure.message
        yield failure.script, failure.remedy
    for name, source in SCRIPTS.items():
        for double, single in _QUOTED.findall(without_comments(source)):
            if " " in (text := double or single):
                yield name, text


def test_messages_are_plain() -> None:
    found = [(place, text) for place, text in texts() if BANNED.search(text)]

    assert found == []


@pytest.mark.parametrize(
    "word",
    [
        "mend it first",
        "nobody confirmed",
        "hands needed",
        "x is no name",
        "takes it back",
        "stands twice",
        "changed by another hand",
        "asked in vain",
        "not proven",
    ],
)
def test_a_word_that_is_not_plain_is_found(word: str) -> None:
    (text,) = strings(f'raise NodeError(K, "s", f"{word} {{x}}")\n'.replace('"s", ', ""))

    assert BANNED.search(text[1])


@pytest.mark.parametrize("text", ["fix it by hand", "there is no journal", "is no longer there"])
def test_a_plain_text_is_not_found(text: str) -> None:
    assert BANNED.search(text) is None


def test_the_texts_of_the_scripts_are_among_them() -> None:
    found = {text for name, text in texts() if name.endswith(".sh")}

    assert "CRI does not report its runtime as ready" in found


def walked(group: click.Group) -> Iterator[click.Command]:
    for inner in group.commands.values():
        yield inner
        if isinstance(inner, click.Group):
            yield from walked(inner)


def test_what_a_message_tells_to_run_exists() -> None:
    flags = {flag for each in walked(command) for option in each.params for flag in option.opts}
    parts = [text for _, text in texts()]

    named = {name for text in parts for name in re.findall(r"`fleet ([a-z]+)", text)}
    given = {
        flag for text in parts for flag in re.findall(r"\b(?:with|use|give) (--[a-z-]+)", text)
    }

    assert named >= {"probe", "explain", "resume", "unlock"}
    assert named <= set(command.commands)
    assert given >= {"--disrupt-workloads", "--overwrite"}
    assert given - FOREIGN <= flags

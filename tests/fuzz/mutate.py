"""Mutations of texts and of parsed documents, all of them drawn from one seeded generator."""

from __future__ import annotations

import datetime
import json
import random
import tomllib
from collections.abc import Callable
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

GIANT = 1 << 20
"""Bytes of a giant field: what the probe reads of one file at most."""
_ODD_BYTES = (b"\0", b"\xff", b"\x1b[31m", b"\xe9", b"\xed\xa0\x80", b"\r", b"\t", b"'''", b'"""')
_ODD_WORDS = (
    "", "-1", "0", "\u00b2", "9" * 5000, "NaN", "inf", "../x", "/", "a.b.c", "*", "\u2028",
    "\x1b[1m", "http://", "https:/x", "http://[::1", "https://h:99999/", "//", "://", "[",
    "1e999", "\U0001f600",
)  # fmt: skip


def _values(dice: random.Random) -> Any:
    """Return a value of a type that a reader may not expect."""
    deep: Any = "x"
    for _ in range(dice.choice((2, 30, 300))):
        deep = [deep] if dice.random() < 0.5 else {"k": deep}
    return dice.choice(
        (
            0, -1, 1 << 62, 1.5, float("nan"), float("inf"), True, False, "", [], {}, [[]], [{}],
            {"": ""}, [1, "a", True], {"a": 1}, ["a", ["b"]], datetime.date(1979, 5, 27),
            datetime.datetime(1979, 5, 27, 7, 32, tzinfo=datetime.UTC), datetime.time(7, 32),
            deep, dice.choice(_ODD_WORDS), [dice.choice(_ODD_WORDS)], {dice.choice(_ODD_WORDS): {}},
        )
    )  # fmt: skip


def swapped(document: Any, dice: random.Random) -> Any:
    """Replace one to three values somewhere in a document by values of other types."""
    document = json.loads(json.dumps(document, default=str))
    for _ in range(dice.randint(1, 3)):
        place, keys = document, []
        while True:
            items = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not items:
                break
            keys.append((place, dice.choice(items)))
            inner = keys[-1][0][keys[-1][1]]
            if not isinstance(inner, dict | list) or dice.random() < 0.25:
                break
            place = inner
        if keys:
            place, key = keys[-1]
            place[key] = _values(dice)
            if isinstance(place, dict) and dice.random() < 0.2:
                place[dice.choice(_ODD_WORDS)] = place.pop(key)
    return document


def flipped(text: bytes, dice: random.Random) -> bytes:
    """Change a few bytes."""
    found = bytearray(text)
    for _ in range(dice.randint(1, 8)):
        if found:
            found[dice.randrange(len(found))] = dice.randrange(256)
    return bytes(found)


def cut(text: bytes, dice: random.Random) -> bytes:
    """Cut the end or a piece of the middle away."""
    start = dice.randrange(len(text) + 1)
    return text[:start] + (text[start + dice.randrange(200) :] if dice.random() < 0.5 else b"")


def repeated(text: bytes, dice: random.Random) -> bytes:
    """Write a line or a block of lines again somewhere else, once or many times."""
    lines = text.splitlines(keepends=True) or [b"\n"]
    start = dice.randrange(len(lines))
    block = lines[start : start + dice.randint(1, 5)] * dice.choice((1, 1, 2, 50))
    place = dice.randrange(len(lines) + 1)
    return b"".join((*lines[:place], *block, *lines[place:]))


def spliced(text: bytes, dice: random.Random) -> bytes:
    """Put something odd in."""
    place = dice.randrange(len(text) + 1)
    odd = dice.choice((*_ODD_BYTES, *(word.encode() for word in _ODD_WORDS)))
    return text[:place] + odd + text[place:]


def nested(text: bytes, dice: random.Random) -> bytes:
    """Put nesting in that a recursive reader does not come back from."""
    place = dice.randrange(len(text) + 1)
    unit = dice.choice(
        (b"[", b"{", b"{a:", b"- ", b"a.", b'{"a":', b"header.", b"a = [", b"&a [*a,")
    )
    return text[:place] + unit * dice.choice((50, 1000, 20_000)) + text[place:]


def swelled(text: bytes, dice: random.Random) -> bytes:
    """Put a giant word or many tiny lines in."""
    place = dice.randrange(len(text) + 1)
    unit = dice.choice(
        (b"a", b" ", b'"', b"#", b"header.", b"\n", b"a\n", b"=", b"[a]\n", b"x = 1\n", b"\\", b"'",
         b"password=", b"://a:b@", b"auth = ", b"{", b"<<: ", b"-", b"  - a\n", b"\t", b"\xc3\xa9")
    )  # fmt: skip
    size = dice.choice((1000, 30_000, 300_000))
    return text[:place] + unit * (size // len(unit)) + text[place:]


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    flipped, flipped, cut, repeated, repeated, spliced, spliced, nested, swelled
)  # fmt: skip


def mutated(text: bytes, dice: random.Random) -> bytes:
    """Return a text after one or two mutations."""
    for _ in range(dice.randint(1, 2)):
        text = dice.choice(MUTATIONS)(text, dice)[:GIANT]
    return text


def mutated_toml(text: bytes, dice: random.Random) -> bytes:
    """Return TOML with another structure, or mutated as a text."""
    if dice.random() < 0.5 or len(text) > 20_000:  # tomlkit takes a minute for long strings
        return mutated(text, dice)
    document = tomllib.loads(text.decode("utf-8", "replace"))
    try:
        return tomlkit.dumps(swapped(document, dice)).encode("utf-8", "replace")
    except (ValueError, TypeError, RecursionError, TOMLKitError):
        return mutated(text, dice)


def mutated_json(text: bytes, dice: random.Random) -> bytes:
    """Return JSON with another structure, or mutated as a text."""
    if dice.random() < 0.5:
        return mutated(text, dice)
    changed = json.dumps(swapped(json.loads(text), dice), default=str)
    return changed.replace("1979-05-27", "\\ud800").encode()

"""Masking takes time linear in the text, whatever the text is."""

from __future__ import annotations

import random
import time

import pytest

from fleet.core.masking import Fingerprints, masked_file

_BYTES = 1_000_000
_SECONDS = 1.0
"""Five times what a quiet machine takes at most: neighbours must not fail this."""
UNITS = {
    "a long comment": "header.",
    "a comment a line": "# a\n",
    "comments with a login": "# u:p@h\n",
    "open brackets": "[",
    "an open array": "a = [",
    "open braces": "{",
    "an open table": "a: {",
    "quotes": '"""',
    "an open string": 'a = """x',
    "backslashes": "\\",
    "a string of backslashes": 'a = "\\\\',
    "assignments": "a=1\n",
    "dots": "a.",
    "arrays of comments": "a=[\n1, # x\n",
    "line ends": "\n",
    "ats": "@",
    "words with ats": "a@ ",
    "escaped schemes": "%3a%2f%2f@",
    "logins": "http://a:b@c ",
    "logins in one word": "http://a:b@c,",
    "logins as values": "a = 'http://u:p@h'\n",
    "logins in a list": "- http://u:p@h\n",
    "passwords": "password=x ",
    "passwords in one word": "password=",
    "credentials": "bearer abcdefgh ",
    "web tokens": "eyJ",
    "options": "--user=x -u ",
    "options without a value": "login -",
    "options of many words": "--a-",
    "queries": "?a=b&key=",
    "a query of many words": "?aa.",
    "header fields": 'request.header.a="\\',
    "lines of a parser": "1| a\n",
    "quoted URLs": '"https://a ',
    "option lists": "a = ['--password',",
    "private keys": "-----BEGIN EC PRIVATE KEY-----",
    "nearly private keys": "-----BEGIN A ",
    "a parser's quotes": "cannot unmarshal `",
    "refused ports": 'invalid port "',
    "items": "- a\n",
    "items in items": "- ",
    "anchors": "- &a b\n",
    "blocks": "password: |\n  x\n",
    "other letters": "пароль=й ",
    "zeros": "\0",
}


@pytest.mark.parametrize("suffix", ["toml", "yaml", "log"])
@pytest.mark.parametrize("unit", UNITS.values(), ids=list(UNITS))
def test_a_megabyte_of_anything_is_masked_in_no_time(unit: str, suffix: str) -> None:
    text = unit * (_BYTES // len(unit))

    assert _seconds(f"a.{suffix}", text) < _SECONDS


@pytest.mark.parametrize("suffix", ["toml", "yaml", "log"])
def test_a_comment_or_value_of_a_megabyte_and_noise(suffix: str) -> None:
    noise = random.Random(7).randbytes(_BYTES).decode("latin-1")

    for text in ("# " + "header." * 140_000, "a = '" + "A=b " * 250_000 + "'", noise):
        assert _seconds(f"a.{suffix}", text) < _SECONDS


def _seconds(path: str, text: str) -> float:
    mark = Fingerprints(b"k" * 32)
    began = time.process_time()
    masked_file(path, text, mark)
    return time.process_time() - began

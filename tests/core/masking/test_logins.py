"""Logins in URLs and addresses: what is hidden, and what only looks like one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.masking.logins import login_spans
from fleet.core.masking.spans import replaced, stars


def masked(text: str) -> str:
    return replaced(text, login_spans(text), stars)


HIDDEN = {
    "a user and a password": ("https://u:p@h/v2", "https://***@h/v2"),
    "a token alone": ("https://t0ken@h", "https://***@h"),
    "a port": ("http://u:p@h:5000/", "http://***@h:5000/"),
    "an address of IPv6": ("http://u:p@[fd00::1]:5000", "http://***@[fd00::1]:5000"),
    "any scheme": ("socks5://u:p@h", "socks5://***@h"),
    "an at sign in a password": ("https://u:p@q@h", "https://***@h"),
    "a slash in a password": ("https://u:p/q@h", "https://***@h"),
    "a hash in a password": ("https://u:p#q@h", "https://***@h"),
    "an escaped at sign": ("https://u:p%40h", "https://***%40h"),
    "an escaped URL": ("next=https%3A%2F%2Fu%3Ap%40h", "next=https%3A%2F%2F***%40h"),
    "the slashes of JSON": ("https:\\/\\/u:p@h", "https:\\/\\/***@h"),
    "without a scheme": ("u:p@proxy:3128", "***@proxy:3128"),
    "a variable without a scheme": ("HTTPS_PROXY=u:p@proxy", "HTTPS_PROXY=***@proxy"),
    "two URLs in a sentence": (
        "a https://u:p@h, b http://x:y@z.",
        "a https://***@h, b http://***@z.",
    ),
    "a URL in another's query": ("https://a?x=http://u:p@h", "https://a?x=http://***@h"),
    "a login before a URL": ("u:p@a,https://b", "***@a,https://b"),
    "quotes end a word": ('"https://u:p@h" "x"', '"https://***@h" "x"'),
    "a login and a digest": ("https://u:p@h/x@sha256:ab", "https://***@h/x@sha256:ab"),
}


@pytest.mark.parametrize(("text", "shown"), HIDDEN.values(), ids=list(HIDDEN))
def test_a_login_is_hidden(text: str, shown: str) -> None:
    assert masked(text) == shown


SHOWN = {
    "a URL": "https://h:5000/v2",
    "an address of mail": "ops@corp.test",
    "a user of SSH": "root@10.0.0.1",
    "a digest": "docker.io/library/busybox@sha256:abcd",
    "a digest with an escaped at sign": "busybox%40sha256%3Aabcd",
    "a digest of another length": "h:5000/x@sha512:abcd",
    "an at sign in a path": "https://h/@scope/x",
    "an at sign in a query": "https://h/x?mail=a@b",
    "a login that is masked": "https://***@h",
    "a login with a fingerprint": "https://***#0123456789ab@h",
    "an address that is masked": "***@proxy",
    "no at sign": "u:p",
    "nothing": "",
}


@pytest.mark.parametrize("text", SHOWN.values(), ids=list(SHOWN))
def test_what_is_not_a_login_is_shown(text: str) -> None:
    assert masked(text) == text


def test_a_fingerprint_of_another_length_is_not_a_mask() -> None:
    assert masked("https://***#0123@h") == "https://***@h"


def test_a_word_with_very_many_urls_is_hidden_whole() -> None:
    assert masked("a " + "x://" * 51 + "@ b") == "a *** b"


def test_fifty_urls_in_a_word_are_read() -> None:
    assert masked("x://" * 50 + "u:p@h") == "x://" * 50 + "***@h"


def test_all_text_behind_very_many_places_is_hidden() -> None:
    shown = masked("a@b " * 4_000 + "shown no more @")

    assert shown == "a@b " * 3_999 + "a@b***"


@given(st.text(st.sampled_from("u:p@/h%40?# "), max_size=30))
def test_masked_text_is_not_masked_again(text: str) -> None:
    assert masked(masked(text)) == masked(text)


@pytest.mark.parametrize("unit", ["@", "a:b@", "x://", "%40", "@sha256:", "a@ ", "https://u:p@h"])
def test_a_megabyte_takes_no_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    began = time.process_time()

    list(login_spans(text))

    assert time.process_time() - began < 1

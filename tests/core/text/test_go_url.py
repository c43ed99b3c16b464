"""URLs as Go reads them; the table was written by net/url itself (go1.26)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.text.go_url import go_host

BY_GO = {
    "https://m.test": "m.test",
    "https://m.test:5000/v2": "m.test:5000",
    "http://m.test:port": None,
    "http://m.test:": "m.test:",
    "https://:5000": ":5000",
    "https:/m.test": "",
    "https:m.test": "",
    "https://": "",
    "https": "",
    "http-m.test:5000": "",
    "httpm.test:5000/x": "",
    "m.test:5000": "m.test:5000",
    "m.test:port": None,
    "[::1]:5000": "[::1]:5000",
    "https://[::1": None,
    "https://[::1]:x": None,
    "https://[::1]x": None,
    "https://a b": None,
    "https://a\x7f": None,
    "https://a\tb": None,
    "https://%zz": None,
    "https://%41": None,
    "https://a%20b": None,
    "https://m.test/%zz": None,
    "https://m.test/%41": "m.test",
    "https://m.test/a b": "m.test",
    "https://u:p@m.test": "m.test",
    "https://u p@m.test": None,
    "https://m.test?x=%zz": "m.test",
    "https://m.test#%zz": None,
    "https://m.test#x": "m.test",
    "ftp://m.test": "ftp:",
    "://m.test": ":",
    ":": ":",
    "/": "",
    "//m.test": "",
    "https://m_test": "m_test",
    "https://<m>": "<m>",
    "https://m^test": None,
    "https://\u00fc.test": "\u00fc.test",
    "https://m.test:5000:6000": None,
    "https://[fe80::1%eth0]": None,
    "https:///path": "",
    "https://m\\test": None,
    "https://m`t": None,
    "https://m{t}": None,
    "https://m.test:70000": "m.test:70000",
    "https://m.test:+1": None,
}


@pytest.mark.parametrize(("url", "host"), BY_GO.items())
def test_a_url_has_the_host_that_go_finds(url: str, host: str | None) -> None:
    assert go_host(url) == host


@given(st.text())
def test_no_text_is_an_exception(text: str) -> None:
    assert go_host(text) is None or isinstance(go_host(text), str)

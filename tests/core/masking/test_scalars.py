"""Secrets inside plain values: the login alone where it can be found, else the whole value."""

from __future__ import annotations

import json

import pytest

from fleet.core.masking.scalars import cost, key_spans, names_secret_option, scalar_spans
from fleet.core.masking.spans import replaced, stars


def masked(value: str, raw: str | None = None) -> str:
    """Return what is shown of `raw`, a text that means `value`."""
    raw = value if raw is None else raw
    return replaced(f"k={raw}", scalar_spans(raw, value, 2), stars)[2:]


VALUES = {
    "a login": ("https://u:p@h/v2", "https://***@h/v2"),
    "a proxy": ("HTTPS_PROXY=u:p@proxy", "HTTPS_PROXY=***@proxy"),
    "two logins": ("https://u:p@a,https://x:y@b", "https://***@a,https://***@b"),
    "a login with a space": ("https://u: p@h", "***"),
    "a login with a quote": ("https://u:p'q@h", "***"),
    "an assignment": ("REGISTRY_PASSWORD=x", "***"),
    "a login and an assignment": ("https://u:p@h?token=x", "***"),
    "basic": ("Basic dXNlcjpwYXNz", "***"),
    "a bearer": ("bearer abcdefgh", "***"),
    "a web token": ("eyJhbGciOiJIUzI1NiJ9.x.y", "***"),
    "a token of a code host": ("ghp_abcdefghijklmnop", "***"),
    "a private key": ("-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----", "***"),
    "a private key in base64": ("LS0tLS1CRUdJTiBQUklW", "***"),
    "a command with a password": ("sshpass -p x ssh b", "***"),
    "a file in a value": ("[auth]\npassword = x", "***"),
}


@pytest.mark.parametrize(("value", "shown"), VALUES.values(), ids=list(VALUES))
def test_a_secret_in_a_value_is_hidden(value: str, shown: str) -> None:
    assert masked(value) == shown


@pytest.mark.parametrize(
    "value",
    [
        *("", "info", "/etc/containerd/certs.d", "https://h:5000/v2", "10.0.0.1:443", "a=b"),
        *("registry.k8s.io/pause@sha256:0123", "h:5000/a/b@sha256:ab", "root@h", "PATH=/bin"),
        *("a: b", "io.containerd.runc.v2", "basic", "-u"),
    ],
)
def test_a_value_without_a_secret_is_shown(value: str) -> None:
    assert masked(value) == value


def test_an_escaped_login_hides_the_whole_value() -> None:
    assert masked("https://u:p@h", r'"https://u:p\u0040h"') == "***"


def test_a_login_with_an_escape_in_it_hides_the_whole_value() -> None:
    assert masked("https://u:A@h", r'"https://u:\x41@h"') == "***"


def test_quotes_around_a_login_stay() -> None:
    value = "https://u:p@h"

    assert masked(value, json.dumps(value)) == '"https://***@h"'


@pytest.mark.parametrize(
    ("raw", "value", "shown"),
    [
        ("docker.io", "docker.io", "docker.io"),
        ("password", "password", "password"),
        ("'https://u:p@h'", "https://u:p@h", "'https://***@h'"),
        (r'"https://u:p\x40h"', "https://u:p@h", "***"),
        ("u:p%40h", "u:p%40h", "***%40h"),
        ("x@sha256:ab", "x@sha256:ab", "x@sha256:ab"),
    ],
    ids=["a host", "a word", "a URL", "an escaped URL", "an escaped sign", "a digest"],
)
def test_a_key_hides_the_login_of_a_url_alone(raw: str, value: str, shown: str) -> None:
    assert replaced(f" {raw}", key_spans(raw, value, 1), stars) == f" {shown}"


OPTIONS = {
    "--password": True,
    "-password": True,
    "--registry-creds": True,
    "--token": True,
    "--auth": True,
    "--header": True,
    "--verbose": False,
    "--user": False,
    "--password=x": False,
    "password": False,
    "---password": False,
    "--": False,
    "": False,
    "--" + "a" * 52 + "-password": True,
    "--" + "a" * 53 + "-password": False,
}


@pytest.mark.parametrize(("word", "secret"), OPTIONS.items(), ids=list(OPTIONS))
def test_an_option_whose_value_is_the_next_word(word: str, secret: bool) -> None:
    assert names_secret_option(word) is secret


def test_a_value_with_an_at_sign_costs_more_to_check() -> None:
    assert (cost("a"), cost("a@b")) == (1, 12)

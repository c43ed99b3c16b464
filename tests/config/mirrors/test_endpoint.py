"""Endpoints: their settings, and the files and secrets that they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.config.mirrors.endpoint import HostReader
from fleet.config.reader import Reader
from fleet.core.model.mirror import ClientPair, Mirror
from tests.support.values import parsed

CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
KEY = b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"
DEFAULT = Mirror(url="", dial_timeout="9s", capabilities=("pull",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with certificates and keys."""
    files = {"ca": CERTIFICATE, "cert": CERTIFICATE, "key": KEY, "both": CERTIFICATE + KEY}
    for name, content in {**files, "text": b"nothing"}.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def endpoint(text: str, folder: Path = Path()) -> tuple[Mirror | None, Reader]:
    return HostReader(reader := Reader("m"), folder).endpoint(parsed(text), "e", DEFAULT), reader


def good(text: str, folder: Path = Path()) -> Mirror:
    """Return an endpoint that is read without a problem."""
    mirror, reader = endpoint(text, folder)
    assert reader.problems == []
    assert mirror is not None
    return mirror


def messages(reader: Reader) -> list[str]:
    return [problem.message for problem in reader.problems]


def test_a_bare_url_takes_the_defaults() -> None:
    assert good("https://A.example:443/") == Mirror(
        url="https://a.example", dial_timeout="9s", capabilities=("pull",)
    )


def test_a_mapping_keeps_the_defaults_that_it_does_not_name() -> None:
    assert good("{url: http://a.example, dial_timeout: 500ms}") == Mirror(
        url="http://a.example", dial_timeout="500ms", capabilities=("pull",)
    )


@pytest.mark.parametrize(
    ("text", "url"),
    [
        pytest.param("{url: https://a/v2}", "https://a", id="v2 alone"),
        pytest.param("{url: https://a/v2, override_path: true}", "https://a/v2", id="as it is"),
        pytest.param("{url: https://a/x/, override_path: true}", "https://a/x", id="a path"),
    ],
)
def test_containerd_appends_v2_unless_the_path_is_overridden(text: str, url: str) -> None:
    assert good(text).url == url


@pytest.mark.parametrize("flag", ["override_path", "skip_verify"])
@pytest.mark.parametrize(("entry", "value"), [(": true", True), (": no", False), (None, False)])
def test_a_flag_is_off_unless_it_is_set(flag: str, entry: str | None, value: bool) -> None:
    mirror = good(f"{{url: https://a, {flag}{entry}}}" if entry else "{url: https://a}")

    assert getattr(mirror, flag) is value


REFUSED = {
    "no url": ("{skip_verify: true}", ["e: needs a url"]),
    "a list": ("[https://a]", ["e: expected a mapping, got a list"]),
    "a url that is a list": ("{url: []}", ["e.url: expected a string, got a list"]),
}


@pytest.mark.parametrize(("text", "expected"), REFUSED.values(), ids=REFUSED)
def test_an_endpoint_without_a_url_is_none(text: str, expected: list[str]) -> None:
    mirror, reader = endpoint(text)

    assert (mirror, messages(reader)) == (None, expected)


def test_a_path_needs_override_path() -> None:
    _, reader = endpoint("https://a/hub")

    (message,) = messages(reader)
    assert message.startswith("e: https://a/hub has a path: ")


@pytest.mark.parametrize("setting", ["skip_verify: true", "ca: ca", "client: both"])
def test_tls_settings_do_not_go_with_plain_http(folder: Path, setting: str) -> None:
    _, reader = endpoint(f"{{url: http://a, {setting}}}", folder)

    (message,) = messages(reader)
    assert message.startswith("e: TLS keys (skip_verify, ca, client) on http://")


@pytest.mark.parametrize("text", ["3s", "1.5h", "1m30s", "500ms", "10us", "1ns", "0s"])
def test_a_duration_is_one_of_go(text: str) -> None:
    assert good(f"{{url: https://a, dial_timeout: {text}}}").dial_timeout == text


@pytest.mark.parametrize("text", ["3", "3 s", "s", "-3s", "3d", '""'])
def test_any_other_duration_is_refused(text: str) -> None:
    mirror, reader = endpoint(f"{{url: https://a, dial_timeout: {text}}}")

    (message,) = messages(reader)
    assert message.startswith("e.dial_timeout: expected a duration such as 3s or 500ms")
    assert mirror is not None
    assert mirror.dial_timeout is None


def test_capabilities_are_kept_in_order_and_once_each() -> None:
    found = good("{url: https://a, capabilities: [resolve, pull, resolve]}")

    assert found.capabilities == ("resolve", "pull")


def test_a_mirror_that_may_push_is_warned_of() -> None:
    mirror, reader = endpoint("{url: https://a, capabilities: [push, pull]}")

    assert mirror is not None
    assert mirror.capabilities == ("push", "pull")
    assert [warning.message for warning in reader.warnings] == [
        "e.capabilities: push lets the mirror receive what nodes push"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "e.capabilities: an empty list would mean all: write [pull, resolve]"),
        ("pull", 'e.capabilities: expected a list, got the string "pull"'),
    ],
)
def test_capabilities_that_would_mean_all_are_refused(text: str, message: str) -> None:
    _, reader = endpoint(f"{{url: https://a, capabilities: {text}}}")

    assert messages(reader) == [message]


@pytest.mark.parametrize(
    ("text", "count"), [("ca", 1), ("[ca, cert]", 2), ("[]", 0), ("./ca", 1), ("{folder}/ca", 1)]
)
def test_certificates_of_authorities_are_read(folder: Path, text: str, count: int) -> None:
    text = text.replace("{folder}", str(folder))

    assert good(f"{{url: https://a, ca: {text}}}", folder).ca == (CERTIFICATE,) * count


BAD_FILES = {
    "a missing file": ("ca: nowhere", "nowhere: cannot be read (No such file or directory)"),
    "a folder": ("ca: .", ".: cannot be read (Is a directory)"),
    "no path": ('ca: "a\\0b"', "cannot be read (not a path)"),
    "another text": ("ca: text", "text: contains no PEM certificate"),
    "a key for all to read": (
        "ca: both",
        "both: contains a private key, but every user of a node can read a ca",
    ),
    "a pair in wrong order": ("client: [[key, cert]]", "key: contains no PEM certificate"),
    "a pair without a key": ("client: [[cert, ca]]", "ca: contains no PEM private key"),
    "three files": ("client: [[cert, key, ca]]", "expected [certificate, key]"),
}


@pytest.mark.parametrize(("setting", "expected"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_does_not_serve_is_a_problem(folder: Path, setting: str, expected: str) -> None:
    _, reader = endpoint(f"{{url: https://a, {setting}}}", folder)

    assert expected in messages(reader)[0]


PAIRS = {
    "one file with both": ("both", [ClientPair(CERTIFICATE + KEY, None)]),
    "files with both": ("[both, both]", [ClientPair(CERTIFICATE + KEY, None)] * 2),
    "a pair": ("[[cert, key]]", [ClientPair(CERTIFICATE, KEY)]),
    "a pair and a file": (
        "[[cert, key], both]",
        [ClientPair(CERTIFICATE, KEY), ClientPair(CERTIFICATE + KEY, None)],
    ),
}


@pytest.mark.parametrize(("text", "pairs"), PAIRS.values(), ids=PAIRS)
def test_client_certificates_have_three_forms(
    folder: Path, text: str, pairs: list[ClientPair]
) -> None:
    assert good(f"{{url: https://a, client: {text}}}", folder).client == tuple(pairs)


def test_a_header_has_one_value_or_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")

    found = good("{url: https://a, header: {X-One: a, X-Two: [b, env:TOKEN], X-None: []}}").header

    assert found == (("X-One", ("a",)), ("X-Two", ("b", "s3cret")), ("X-None", ()))
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ('{"X Y": a}', "e.header: invalid HTTP header 'X Y'"),
        ('{X: "a\\r\\nY: b"}', "e.header.X: contains control characters"),
        ("{X: env:FLEET_NOT_SET}", "e.header.X: the environment variable FLEET_NOT_SET is not set"),
    ],
)
def test_a_header_that_is_none_is_refused(header: str, message: str) -> None:
    _, reader = endpoint(f"{{url: https://a, header: {header}}}")

    assert messages(reader) == [message]
    assert reader.warnings == []

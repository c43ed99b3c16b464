"""The settings of a host in configs: TLS and logins, as k3s's own files and examples have them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from fleet.config.mirrors.endpoint import HostReader
from fleet.config.mirrors.host_settings import HostSettingsReader
from fleet.config.reader import Reader
from fleet.core.model.mirror import Auth, ClientPair, Mirror
from fleet.core.model.secret import Secret
from fleet.core.text.yaml import MappingEntry
from tests.support.values import parsed

CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
KEY = b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a certificate and a key."""
    for name, content in {"ca": CERTIFICATE, "cert": CERTIFICATE, "key": KEY}.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def messages(reader: Reader) -> list[str]:
    return [problem.message for problem in reader.problems]


def config(text: str, folder: Path = Path()) -> tuple[Mirror, Reader]:
    """Return the settings of the host a.example."""
    reader = Reader("m")
    entry = MappingEntry(parsed("a.example"), parsed(text))
    settings = HostSettingsReader(reader, HostReader(reader, folder))
    return settings.config("a.example", entry, "c").mirror, reader


def test_a_config_holds_tls_and_auth(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "p")
    text = """\
tls: {ca_file: ca, cert_file: cert, key_file: key, insecure_skip_verify: true}
auth: {username: u, password: env:PASSWORD}
"""

    mirror, reader = config(text, folder)

    assert mirror == Mirror(
        url="https://a.example",
        ca=(CERTIFICATE,),
        client=(ClientPair(CERTIFICATE, KEY),),
        skip_verify=True,
        auth=Auth("u", Secret("p")),
    )
    assert (reader.problems, reader.warnings) == ([], [])


JOINED = base64.b64encode(b"u:p:q").decode()
AUTHS: dict[str, tuple[str, Any]] = {
    "user and password": ("{username: u, password: p}", Auth("u", Secret("p"))),
    "both in base64": (f"{{auth: {JOINED}}}", Auth("u", Secret("p:q"))),
    "a token": ("{identity_token: t}", Auth("", Secret(""), Secret("t"))),
    "user and password before base64": (
        f"{{username: u, password: x, auth: {JOINED}}}",
        Auth("u", Secret("x")),
    ),
    "nothing": ("", None),
    "empty texts": ('{username: "", password: ""}', None),
}


@pytest.mark.parametrize(("text", "auth"), AUTHS.values(), ids=AUTHS)
def test_credentials_have_several_forms(text: str, auth: Auth | None) -> None:
    mirror, reader = config(f"auth: {text}")

    assert (mirror.auth, messages(reader)) == (auth, [])


BAD_CONFIGS = {
    "a user alone": ("auth: {username: u}", "c.auth: needs username and password"),
    "a token and a user": (
        "auth: {identity_token: t, username: u}",
        "c.auth: identity_token cannot be combined with other keys",
    ),
    "no base64": ("auth: {auth: '%'}", "c.auth.auth: is not user:password in base64"),
    "base64 of something else": ("auth: {auth: eHg=}", "c.auth.auth: is not user:password"),
    "a certificate alone": ("tls: {cert_file: cert}", "c.tls: needs both cert_file and key_file"),
    "a key alone": ("tls: {key_file: key}", "c.tls: needs both cert_file and key_file"),
    "an unknown key": ("tsl: {}", 'c: unknown key "tsl" (did you mean "tls"?)'),
    "an unknown TLS key": ("tls: {ca: x}", 'c.tls: unknown key "ca"'),
    "an unknown auth key": ("auth: {user: x}", 'c.auth: unknown key "user"'),
    "no flag": ("tls: {insecure_skip_verify: 1}", "c.tls.insecure_skip_verify: expected true"),
}


@pytest.mark.parametrize(("text", "expected"), BAD_CONFIGS.values(), ids=BAD_CONFIGS)
def test_a_config_with_a_mistake_is_a_problem(folder: Path, text: str, expected: str) -> None:
    _, reader = config(text, folder)

    assert messages(reader)[0].startswith(expected)


def test_a_password_in_the_file_is_warned_of_once() -> None:
    _, reader = config("auth: {username: u, password: p}")
    (warning,) = reader.warnings
    assert warning.message.startswith("c.auth.password: a secret in a file: write env:NAME")


EMPTY = """\
auth: {username: , password: ~, auth: "", identity_token: null}
tls: {cert_file: , key_file: ~, ca_file: "", insecure_skip_verify: }
"""


def test_keys_without_a_value_are_absent() -> None:
    mirror, reader = config(EMPTY)

    assert mirror == Mirror(url="https://a.example")
    assert (reader.problems, reader.warnings) == ([], [])


@pytest.mark.parametrize("word", ["0123", "0x1F", "1e3", "yes", "true", "1_000", "3.10", "No"])
def test_a_login_keeps_the_text_of_any_scalar(word: str) -> None:
    mirror, reader = config(f"auth: {{username: {word}, password: {word}}}")

    assert (mirror.auth, reader.problems) == (Auth(word, Secret(word)), [])


@pytest.mark.parametrize("word", ["yes", "y", "On", "TRUE"])
@pytest.mark.parametrize("no", ["no", "n", "Off", "False"])
def test_a_boolean_has_the_words_that_k3s_reads(word: str, no: str) -> None:
    assert config(f"tls: {{insecure_skip_verify: {word}}}")[0].skip_verify
    assert not config(f"tls: {{insecure_skip_verify: {no}}}")[0].skip_verify


def test_files_may_be_on_the_nodes_alone(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    tls = f"ca_file: {nowhere}/ca, cert_file: {nowhere}/cert, key_file: {nowhere}/key"

    mirror, reader = config(f"tls: {{{tls}}}")

    assert mirror.ca_paths == (f"{nowhere}/ca",)
    assert mirror.client_paths == ((f"{nowhere}/cert", f"{nowhere}/key"),)
    assert messages(reader) == []
    assert [warning.message for warning in reader.warnings] == [
        f"c.tls.{key}_file: {nowhere}/{key} is not on this machine: every node needs it at this"
        " path"
        for key in ("ca", "cert", "key")
    ]


def test_a_certificate_here_and_its_key_on_the_nodes_are_refused(folder: Path) -> None:
    _, reader = config(f"tls: {{cert_file: {folder}/cert, key_file: {folder}/none}}")

    assert messages(reader) == [
        f"c.tls.cert_file: {folder}/cert is on this machine and the other file is not: keep both"
        " in one place"
    ]


def test_a_relative_path_is_on_this_machine(folder: Path) -> None:
    _, reader = config("tls: {ca_file: nowhere}", folder)

    (message,) = messages(reader)
    assert message.startswith("c.tls.ca_file: nowhere: cannot be read")


@pytest.mark.parametrize("rest", ["", ", username: u, password: p"])
def test_a_token_has_no_effect_as_in_k3s(rest: str) -> None:
    mirror, reader = config(f"auth: {{token: s3cret{rest}}}")

    assert mirror.auth == (Auth("u", Secret("p")) if rest else None)
    assert messages(reader) == []
    assert reader.warnings[0].message == (
        "c.auth: k3s and RKE2 do not read token: write identity_token, or username and password"
    )

"""Logs, messages and command lines: exactly the secret is hidden, and prose is not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.masking.spans import same_length
from fleet.core.masking.unstructured import free_text, free_text_spans

ASSIGNED = {
    "an assignment": ("password=x rest", "password=*** rest"),
    "an assignment with spaces": ("password = x rest", "password = ***"),
    "a setting": ("password: x rest", "password: ***"),
    "in quotes": ('password="x y" rest', "password=*** rest"),
    "in single quotes": ("password='x y' rest", "password=*** rest"),
    "a quote without an end": ('password="x y', "password=***"),
    "escaped quotes": (r'msg="password=\"x\" y"', 'msg="password=***'),
    "JSON": ('{"password":"x","a":"b"}', '{"password":***,"a":"b"}'),
    "a list": ("token=[x y] z", "token=***"),
    "a table": ("token={x y} z", "token=***"),
    "a longer name": ("REGISTRY_PASSWORD_FILE=x y", "REGISTRY_PASSWORD_FILE=*** y"),
    "an empty value": ("password=\nnext", "password=\nnext"),
    "a value on the lines below": ("password =\n  x\n  y\nnext", "password =***\nnext"),
    "a block of YAML": ("password: |-\n  x\n\n  y\nnext", "password: ***\nnext"),
    "a string of many lines": ('password = """\nx\n"y" """ z', "password = *** z"),
    "a string of many lines from its first on": ("token='''x\ny''' z", "token=*** z"),
    "a string of many lines without an end": ('pw = """\nx\ny z', "pw = ***"),
    "a weak word at the start of a line": ("token: x", "token: ***"),
    "a weak word in a list": ("- token: x", "- token: ***"),
    "a weak word in a flow": ("{a: b, token: x}", "{a: b, token: ***"),
    "a weak word behind another word": ("anonymous token: refused", "anonymous token: refused"),
    "a weak word in quotes": ('level "token": x', 'level "token": ***'),
    "a weak word before a bracket": ("sent header:[x]", "sent header:***"),
    "a weak word with an equals sign": ("sent token=x y", "sent token=*** y"),
    "a short word": ("pw=x y", "pw=*** y"),
    "a word that ends alike": ("compass=x", "compass=x"),
    "a word that begins alike": ("passive=x", "passive=x"),
    "an address": ("auth://x", "auth://x"),
    "the question of a server": ("www-authenticate: Bearer", "www-authenticate: Bearer"),
    "two on a line": ("pw=x pwd=y z", "pw=*** pwd=*** z"),
}
TOKENS = {
    "basic": ("Basic dXNlcg== rest", "Basic *** rest"),
    "bearer": ("bearer abcdef, rest", "bearer ***, rest"),
    "a short word behind basic": ("basic auth", "basic auth"),
    "prose behind basic": ("no basic authentication here", "no basic authentication here"),
    "prose behind bearer": ("Bearer realm=x", "Bearer realm=x"),
    "a web token": ("got eyJhbGciOiJI.e30.x now", "got *** now"),
    "a short word like a web token": ("eyJ and more", "eyJ and more"),
    "a token of GitHub": ("ghp_abcdefghij now", "*** now"),
    "a fine-grained token": ("github_pat_abcdefghij now", "*** now"),
    "a token of GitLab": ("glpat-abcdefghij now", "*** now"),
    "a token of Docker": ("dckr_pat_abcdefghij now", "*** now"),
    "a key in base64": ("LS0tLS1CRUdJTiBQ now", "*** now"),
    "a private key": (
        "-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----\nz",
        "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\nz",
    ),
    "a key of PGP": (
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nx",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----***",
    ),
    "the end of a private key": (
        "x\n-----END PRIVATE KEY-----\nz",
        "***-----END PRIVATE KEY-----\nz",
    ),
    "a certificate": (
        "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----",
    ),
}
OPTIONS = {
    "a password": ("run --password x y", "run --password *** y"),
    "a password with an equals sign": ("run --password=x y", "run --password=*** y"),
    "a longer option": ("run --registry-token x y", "run --registry-token *** y"),
    "a user with a password": ("curl --user u:p h", "curl --user *** h"),
    "a user alone": ("curl --user u h", "curl --user u h"),
    "a proxy's user": ("curl --proxy-user u:p h", "curl --proxy-user *** h"),
    "a short user": ("curl -u u:p h", "curl -u *** h"),
    "a short user without a space": ("curl -uu:p h", "curl -u*** h"),
    "a unit": ("journalctl -u containerd -n 5", "journalctl -u containerd -n 5"),
    "a password of sshpass": ("sshpass -p x ssh h", "sshpass -p *** ssh h"),
    "a password of a login": ("docker login -u u -p x h", "docker login -u u -p *** h"),
    "another -p": ("mkdir -p x", "mkdir -p x"),
}
QUERIES = {
    "a key": ("https://h/?key=x&a=b", "https://h/?key=***&a=b"),
    "a signature": ("https://h/?a=b&sig=x", "https://h/?a=b&sig=***"),
    "a code": ("https://h/?code=x", "https://h/?code=***"),
    "an escaped name": ("https://h/?p%61ss=x", "https://h/?p%61ss=***"),
    "another name": ("https://h/?scope=x&ns=docker.io", "https://h/?scope=x&ns=docker.io"),
    "a header of a log": ('request.header.x-any="a b" c=d', "request.header.x-any=*** c=d"),
    "a plain header of a log": ("response.header.etag=x c=d", "response.header.etag=*** c=d"),
}
PARSERS = {
    "a port": ('invalid port ":x@h" after host', 'invalid port "***'),
    "YAML": ("cannot unmarshal !!str `x` into map", "cannot unmarshal !!str `***"),
    "TOML": ('expected value but found "x" instead', 'expected value but found "***'),
    "an old TOML": ('unexpected token "x", was', 'unexpected token "***'),
    "a key's file": ("cannot read private key '/a.key'", "cannot read private key '/a.key'"),
    "a line of the file": ("  12| x = y", "  12| ***"),
    "a URL with spaces": ('parse "https://u: p@h": no', 'parse "https://***@h": no'),
}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(*case, id=f"{table}: {name}")
        for table, cases in (
            ("assigned", ASSIGNED),
            ("token", TOKENS),
            ("option", OPTIONS),
            ("query", QUERIES),
            ("parser", PARSERS),
        )
        for name, case in cases.items()
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert free_text(text) == shown


def test_the_mark_can_be_chosen() -> None:
    assert free_text("password=abc def", same_length) == "password=*** def"


def test_prose_far_to_the_right_of_its_line_is_not_a_setting() -> None:
    assert free_text(f"{' ' * 60}token: x") == f"{' ' * 60}token: x"


def test_all_text_behind_very_many_assignments_is_hidden() -> None:
    assert free_text("pw=x " * 4_001 + "rest") == "pw=*** " * 3_999 + "pw=******"


def test_all_text_behind_very_many_tokens_is_hidden() -> None:
    assert free_text("basic abcdef " * 4_001 + "rest") == "basic *** " * 4_000 + "***"


@given(st.text(st.sampled_from("pw=:x \n\"'@/|-"), max_size=40))
def test_spans_are_in_order_and_within_the_text(text: str) -> None:
    spans = free_text_spans(text)

    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)


@pytest.mark.parametrize("unit", ["pw=", "token: x\n", "basic ", "?key=", "-u ", "login ", "eyJ"])
def test_a_megabyte_takes_no_time(unit: str) -> None:
    text = unit * (500_000 // len(unit))
    began = time.process_time()

    free_text(text)

    assert time.process_time() - began < 1

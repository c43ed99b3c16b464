"""Defects of a hosts.toml: what a release refuses, and what it reads otherwise than it looks."""

from __future__ import annotations

import pytest

from fleet.core.lint.hosts_toml import hosts_findings, read_hosts
from fleet.core.model.finding import FindingEffect
from tests.support.build import release

HOST = '[host."https://m.test"]\n'
HTTP = '[host."http://m.test:5000"]\n'


def codes(text: str, version: str) -> list[str]:
    return [code for code, _ in read_hosts(text, release(version)).defects]


GOOD = {
    "a host": HOST,
    "a server and a host": f'server = "https://r.test"\n{HOST}',
    "an empty file": "",
    "every key": (
        f'server = "https://r.test"\n{HOST}capabilities = ["pull", "resolve"]\nca = "/c"\n'
        'client = [["/c", "/k"]]\nskip_verify = true\noverride_path = false\n'
        '[host."https://m.test".header]\nX = "a"\nY = ["b", "c"]\n'
    ),
    "capabilities in capitals": f'{HOST}capabilities = ["PULL", "Push"]\n',
    "a host without a scheme": '[host."m.test:5000"]\n',
    "unknown keys": f"mine = 1\n{HOST}mine = 2\n",
    "lists of certificates": f'{HOST}ca = ["/a", "/b"]\nclient = ["/c", "/d"]\n',
    "two hosts": f"{HOST}{HTTP}",
    "a parent table": f"[host]\n{HOST}",
    "plain HTTP": HTTP,
}


@pytest.mark.parametrize("version", ["1.6.0", "1.7.24", "2.0.11", "2.3.4"])
@pytest.mark.parametrize("text", GOOD.values(), ids=list(GOOD))
def test_a_good_file_has_no_defect(text: str, version: str) -> None:
    assert codes(text, version) == []


REFUSED = {
    "no TOML": "[host",
    "a server of a number": f"server = 5\n{HOST}",
    "a server of a table": "[server]\n",
    "a server that is not a URL": f'server = "https://a b"\n{HOST}',
    "host as a number": "host = 5\n",
    "a host as a number": "[host]\n'https://m.test' = 5\n",
    "a host that is not a URL": '[host."https://a b"]\n',
    "capabilities as a text": f'{HOST}capabilities = "pull"\n',
    "capabilities of numbers": f"{HOST}capabilities = [1]\n",
    "an unknown capability": f'{HOST}capabilities = ["fetch"]\n',
    "skip_verify as a text": f'{HOST}skip_verify = "true"\n',
    "override_path as a number": f"{HOST}override_path = 1\n",
    "a header as a number": f"{HOST}header = 5\n",
    "a header's value as a number": f"{HOST}header = {{ X = 5 }}\n",
    "a header's list of numbers": f"{HOST}header = {{ X = [5] }}\n",
    "a certificate as a number": f"{HOST}ca = 5\n",
    "certificates of numbers": f"{HOST}ca = [5]\n",
    "pairs as ca": f'{HOST}ca = [["/c", "/k"]]\n',
    "a pair of three": f'{HOST}client = [["/c", "/k", "/x"]]\n',
    "a pair of numbers": f"{HOST}client = [[1, 2]]\n",
    "a key of the root": 'skip_verify = "x"\n',
}


@pytest.mark.parametrize("version", ["1.6.39", "1.7.32", "2.3.4"])
@pytest.mark.parametrize("text", REFUSED.values(), ids=list(REFUSED))
def test_a_file_that_is_refused_is_ignored_whole(text: str, version: str) -> None:
    reading = read_hosts(text, release(version))

    assert "hosts-refused" in {code for code, _ in reading.defects}
    assert reading.data is None


MISREAD = {
    "a server below a host": (f'{HOST}server = "https://r.test"\n', "1.7.24"),
    "a server without a host name": (f'server = "https://"\n{HOST}', "1.7.24"),
    "a server of another scheme": (f'server = "ftp://r.test"\n{HOST}', "1.7.24"),
    "a host without a host name": ('[host."https://"]\n', "1.7.24"),
    "a host of another scheme": ('[host."ftp://m.test"]\n', "1.7.24"),
    "the site of Docker Hub": (f'server = "https://docker.io"\n{HOST}', "1.7.24"),
    "TLS keys beside http": (f"{HTTP}skip_verify = true\n", "1.7.24"),
    "TLS keys of a server beside http": (f'server = "http://r.test"\nca = "/c"\n{HOST}', "1.7.24"),
    "a timeout beside http": (f'{HTTP}dial_timeout = "1s"\n', "2.0.11"),
    "a timeout below zero": (f'{HOST}dial_timeout = "-1s"\n', "2.1.9"),
    "a header's name with a space": (f"{HOST}header = {{ 'X Y' = 'a' }}\n", "1.7.24"),
    "a header's value with a line end": (f'{HOST}header = {{ X = "a\\nb" }}\n', "1.7.24"),
    "override_path on 1.5": (f"{HOST}override_path = true\n", "1.5.18"),
    "an inline host on 2.x": ("host = { 'https://m.test' = {} }\n", "2.1.9"),
    "a dotted host on 2.x": ("host.'https://m.test'.capabilities = ['pull']\n", "2.1.9"),
}


@pytest.mark.parametrize(("text", "version"), MISREAD.values(), ids=list(MISREAD))
def test_a_part_that_is_misread_leaves_the_rest(text: str, version: str) -> None:
    reading = read_hosts(text, release(version))

    assert [code for code, _ in reading.defects] == ["hosts-misread"]
    assert reading.data is not None


TWICE = {
    "a slash at the end": ('[host."https://m.test"]\n[host."https://m.test/"]\n', "1.7.24"),
    "with and without /v2": ('[host."https://m.test"]\n[host."https://m.test/v2"]\n', "1.7.24"),
    "with and without a scheme": ('[host."https://m.test"]\n[host."m.test"]\n', "1.7.24"),
    "in capitals": ('[host."https://m.test"]\n[host."https://M.test"]\n', "1.7.24"),
    "the same table": (f"{HOST}{HOST}", "1.7.24"),
    "another host's table between": (
        f'{HOST}{HTTP}[host."https://m.test".header]\nX = "a"\n',
        "2.1.9",
    ),
}


@pytest.mark.parametrize(("text", "version"), TWICE.values(), ids=list(TWICE))
def test_a_host_that_is_asked_twice(text: str, version: str) -> None:
    assert codes(text, version) == ["duplicate-host"]


RELEASES: dict[str, tuple[str, str, list[str]]] = {
    "a server alone before 1.7.32": ('server = "https://r"\n', "1.7.31", ["hosts-refused"]),
    "a server alone": ('server = "https://r"\n', "1.7.32", []),
    "referrers before 2.2": (f'{HOST}capabilities = ["referrers"]\n', "2.1.9", ["hosts-refused"]),
    "referrers": (f'{HOST}capabilities = ["referrers"]\n', "2.2.0", []),
    "a bad timeout that is not known": (f'{HOST}dial_timeout = "x"\n', "2.0.6", []),
    "a bad timeout": (f'{HOST}dial_timeout = "x"\n', "2.0.7", ["hosts-refused"]),
    "a timeout of a number": (f"{HOST}dial_timeout = 5\n", "2.1.9", ["hosts-refused"]),
    "an empty timeout": (f'{HOST}dial_timeout = ""\n', "2.1.9", []),
    "a timeout beside http on 2.1": (f'{HTTP}dial_timeout = "1s"\n', "2.1.9", []),
    "TLS keys beside http before 1.7.16": (f"{HTTP}skip_verify = true\n", "1.7.15", []),
    "override_path of a text on 1.5": (f'{HOST}override_path = ""\n', "1.5.18", []),
    "brackets in a header on 1.7": ('[host."http://[fd00::1]"]\n', "1.7.24", ["hosts-refused"]),
    "brackets in a header": ('[host."http://[fd00::1]"]\n', "2.1.9", []),
    "a byte-order mark on 2.x": (f"\ufeff{HOST}", "2.1.9", ["hosts-refused"]),
    "a byte-order mark": (f"\ufeff{HOST}", "1.7.24", []),
    "an inline host on 1.7": ("host = { 'https://m.test' = {} }\n", "1.7.24", []),
    "tables of a host apart on 1.7": (
        f'{HOST}{HTTP}[host."https://m.test".header]\nX = "a"\n',
        "1.7.24",
        [],
    ),
}


@pytest.mark.parametrize(("text", "version", "expected"), RELEASES.values(), ids=list(RELEASES))
def test_what_differs_between_releases(text: str, version: str, expected: list[str]) -> None:
    assert codes(text, version) == expected


def test_the_hosts_are_in_the_order_in_which_they_are_asked() -> None:
    reading = read_hosts(f"{HTTP}{HOST}", release("2.1.9"))

    assert reading.order == ("http://m.test:5000", "https://m.test")


def test_a_finding_names_the_line_of_a_syntax_error() -> None:
    (finding,) = hosts_findings(
        "/c/hosts.toml", "a = 1\nb =\n", release("1.7.24"), FindingEffect.NOTES
    )

    assert (finding.code, finding.effect) == ("hosts-refused", FindingEffect.NOTES)
    assert finding.where == "/c/hosts.toml:2"


def test_a_finding_without_a_line_names_the_file() -> None:
    (finding,) = hosts_findings(
        "/c/hosts.toml", "host = 5\n", release("1.7.24"), FindingEffect.HEALS
    )

    assert finding.where == "/c/hosts.toml"
    assert finding.message == "host is not a table, so the whole file is ignored"

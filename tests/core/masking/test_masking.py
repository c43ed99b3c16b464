"""A secret is hidden in every way to write it, and nothing else is."""

from __future__ import annotations

import pytest

from fleet.core.masking import Fingerprints, free_text, masked_file, stars
from tests.core.masking.ways import FREE, SECRET, TOML, YAML

MARK = Fingerprints(b"k" * 32)


@pytest.mark.parametrize("text", TOML.values(), ids=list(TOML))
def test_a_secret_of_toml_is_hidden(text: str) -> None:
    assert SECRET in text
    shown = masked_file("hosts.toml", text, MARK)
    assert SECRET not in shown
    assert "***#" in shown


@pytest.mark.parametrize("text", YAML.values(), ids=list(YAML))
def test_a_secret_of_yaml_is_hidden(text: str) -> None:
    assert SECRET in text
    shown = masked_file("registries.yaml", text, MARK)
    assert SECRET not in shown
    assert "***#" in shown


@pytest.mark.parametrize("text", FREE.values(), ids=list(FREE))
def test_a_secret_of_a_nodes_words_is_hidden(text: str) -> None:
    assert SECRET in text
    assert SECRET not in free_text(text)


SHOWN = {
    "containerd's config": (
        "config.toml",
        'version = 2 # as it was\n[plugins."io.containerd.grpc.v1.cri".registry]\n'
        '  config_path = "/etc/containerd/certs.d"\n  a = [1.5, true, 1979-05-27 07:32:00]\n'
        '  x.y = {z = ["docker.io/library/busybox@sha256:ab12", "a=b"]}\n',
    ),
    "a hosts.toml": (
        "hosts.toml",
        "# Managed by fleet: change mirrors.yaml instead.\n"
        'server = "https://registry-1.docker.io"\n\n[host."https://token.corp.test:5000/v2/x"]\n'
        '  capabilities = ["pull", "resolve"]\n  ca = ["/etc/a.pem"] # the root\n'
        '  client = [["/a.pem", "/a.key"]]\n',
    ),
    "a registries.yaml": (
        "registries.yaml",
        "# ours\nmirrors:\n  docker.io:\n    endpoint: [https://m.corp.test:5000] # first\n"
        "configs:\n  h:\n    auth: {username: robot}\n    tls: {ca_file: /x, key_file: /y}\n",
    ),
}


@pytest.mark.parametrize(("path", "text"), SHOWN.values(), ids=list(SHOWN))
def test_what_is_not_a_secret_is_shown_as_it_is(path: str, text: str) -> None:
    assert masked_file(path, text, MARK) == text


WORDS = (
    "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to"
    " https://auth.docker.io/token?scope=x&service=y: 401 Unauthorized",
    "pull access denied, repository does not exist or may require authorization: server message:"
    " insufficient_scope: authorization failed",
    'WWW-Authenticate: Bearer realm="https://auth.docker.io/token",service="x"',
    "no basic auth credentials",
    "sudo: a password is required",
    'GET "https://h:5000/v2/x/manifests/sha256:abc": dial tcp 10.0.0.1:443',
    "docker.io/library/busybox:1.36@sha256:abcd of root@host:22",
    "net/http: timeout awaiting response headers",
    "containerd does not start; `journalctl -u containerd` says why",
    "run `sudo -u ops true`, `ps -p 1`, `curl --user robot h`, or `mkdir -p x`",
    "cannot read private key '/etc/a.key'; GET https://h/v2?scope=x&service=y",
)


@pytest.mark.parametrize("text", WORDS)
def test_a_nodes_words_are_shown_where_they_hold_no_secret(text: str) -> None:
    assert free_text(text) == text


def test_the_layout_stays_and_the_value_alone_is_replaced() -> None:
    text = 'a = 1\n[auth]\n  "password"  =  "x"  \n[c]\nb = [ "https://u:p@h" ]\n'

    shown = masked_file("a.toml", text, stars)

    assert shown == 'a = 1\n[auth]\n  "password"  =  ***  \n[c]\nb = [ "https://***@h" ]\n'


def test_a_text_that_is_not_toml_shows_its_structure() -> None:
    text = '[host\nserver = "https://a"\n  capabilities = ["x"]\n[plugins.registry]\nX = 3\n]\n'

    shown = masked_file("a.toml", text, stars)

    assert shown == "***\nserver = ***\n  capabilities = [***\n[plugins.registry]\n***\n]\n"


def test_a_fingerprint_tells_a_change_and_differs_between_two_installations() -> None:
    first, second = Fingerprints(b"a" * 32), Fingerprints(b"b" * 32)

    assert first("x") == first("x") != first("y")
    assert first("x") != second("x")
    assert len(first("x")) == len("***#") + 12
    assert "a" * 32 not in repr(first)

"""mirrors.yaml: values as hosts.toml will have them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.config.load import load_files
from fleet.config.mirrors.yaml import MirrorsReader
from fleet.core.model.mirror import MirrorConfig
from fleet.core.text.yaml import parse_yaml
from fleet.errors import ConfigErrors, Problem

CA, KEY = b"-----BEGIN CERTIFICATE-----\nca\n", b"-----BEGIN PRIVATE KEY-----\nkey\n"
ROOT = Path(__file__).parents[3]
K3S = """\
mirrors:
  docker.io:
    endpoint: ["https://mirror.example:5000"]
  "*":
    endpoint:
      - "http://10.0.0.5"
configs:
  "mirror.example:5000":
    auth: {username: u, password: p}
    tls: {insecure_skip_verify: true}
"""
REGISTRIES = (
    "docker.io",
    "registry.k8s.io",
    "docker.elastic.co",
    "gcr.io",
    "ghcr.io",
    "k8s.gcr.io",
    "mcr.microsoft.com",
    "nvcr.io",
    "quay.io",
    "registry.jujucharms.com",
    "rocks.canonical.com",
)


def read(text: str, folder: Path = Path()) -> tuple[MirrorConfig, list[Problem]]:
    reader = MirrorsReader("mirrors.yaml", folder)
    config = reader.read(parse_yaml(text, "mirrors.yaml"))
    if reader.reader.problems:
        raise ConfigErrors(reader.reader.problems)
    return config, reader.reader.warnings


def test_the_files_that_ship_are_whole() -> None:
    loaded = load_files(ROOT / "inventory.yaml", ROOT / "mirrors.yaml")

    assert tuple(each.name for each in loaded.mirrors.registries) == REGISTRIES
    assert [mirror.url for mirror in loaded.mirrors.registries[0].mirrors] == [
        "https://dockerproxy.com",
        "https://docker.m.daocloud.io",
        "https://reg-mirror.qiniu.com",
        "https://registry.docker-cn.com",
        "http://hub-mirror.c.163.com",
    ]
    assert loaded.mirrors.registries[0].server == "https://registry-1.docker.io"
    assert loaded.warnings == ()
    assert [node.name for node in loaded.inventory.nodes] == [
        "bullseye1",
        "bookworm1",
        "trixie1",
        "forky1",
    ]


def test_a_registries_yaml_of_k3s_loads_as_it_is() -> None:
    config, warnings = read(K3S)

    hub, default = config.registries
    assert hub.mirrors[0].skip_verify
    assert hub.mirrors[0].auth is not None
    assert hub.mirrors[0].auth.username == "u"
    assert (default.name, default.server) == ("_default", None)
    assert [warning.line for warning in warnings] == [9]
    assert "env:NAME" in warnings[0].message


def test_all_forms_of_an_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "s3cret")
    for name, kind in (("ca", "CERTIFICATE"), ("cert", "CERTIFICATE"), ("key", "PRIVATE KEY")):
        (tmp_path / name).write_text(f"-----BEGIN {kind}-----\n{name}\n")
    text = """\
defaults: {capabilities: [pull, resolve], dial_timeout: 3s, fallback: never}
mirrors:
  quay.io:
    fallback: allow
    server: https://quay.example/
    verify: {image: quay.io/a/b@sha256:%s}
    endpoints:
      - https://A.example:443/v2/
      - {url: https://h/v2/hub, override_path: true, capabilities: [pull], dial_timeout: 1m30s,
         ca: ca, client: [[cert, key]], header: {X-T: env:TOKEN}}
      - http://[2001:db8::1]:5000
"""

    config, _ = read(text % ("0" * 64), tmp_path)

    registry = config.registries[0]
    plain, full, six = registry.mirrors
    assert (registry.fallback, registry.server) == (True, "https://quay.example")
    assert (plain.url, plain.dial_timeout) == ("https://a.example", "3s")
    assert (full.url, full.capabilities) == ("https://h/v2/hub", ("pull",))
    assert (full.ca, full.client[0].key) == ((CA,), KEY)
    assert full.header == (("X-T", ("s3cret",)),)
    assert six.authority == "[2001:db8::1]:5000"


def test_overrides_merge_over_the_registry_that_they_name() -> None:
    text = """\
mirrors:
  docker.io: {endpoints: [https://a], verify: docker.io/library/b:1}
overrides:
  - {match: edge, mirrors: {docker.io: {fallback: never}}}
  - {match: far, mirrors: {docker.io: {endpoints: [https://z]}}}
"""
    config, _ = read(text)

    (base,) = config.for_groups(frozenset())
    (edge,) = config.for_groups(frozenset({"edge"}))
    (both,) = config.for_groups(frozenset({"edge", "far"}))
    assert (base.fallback, edge.fallback) == (True, False)
    assert edge.mirrors == base.mirrors
    assert edge.verify == base.verify
    assert [mirror.url for mirror in both.mirrors] == ["https://z"]


def one(endpoint: str, registry: str = "quay.io") -> str:
    return f"mirrors:\n  {registry}:\n    endpoints:\n      - {endpoint}\n"


HOSTILE = ("../../etc/cron.d", "a b", "$(id)", "a/b", "..", "a..b", "-x", "UPPER.io", "a:99999", "")
REFUSED = {
    "no scheme": (one("a.example"), "4:9: mirrors.quay.io.endpoints[0]: 'a.example' has no scheme"),
    "user and password": (one("https://u:p@a"), "a URL must not contain a password"),
    "a query": (one("https://a?x=1"), "is not HOST or HOST:PORT"),
    "another scheme": (one("ftp://a"), "expected http:// or https://"),
    "the same twice": (
        one("https://a\n      - https://A:443/"),
        "5:9: mirrors.quay.io.endpoints: https://a is listed twice (first on line 4)",
    ),
    "its own upstream": (one("https://quay.io"), "https://quay.io is quay.io itself"),
    "the hub by another name": (one("https://index.docker.io", "docker.io"), "is docker.io itself"),
    "an unknown capability": (
        one("{url: https://a, capabilities: [pul]}"),
        "4:41: mirrors.quay.io.endpoints[0].capabilities: expected pull or push or"
        ' referrers or resolve, got the string "pul"',
    ),
    "TLS keys on http": (one("{url: http://a, skip_verify: true}"), "try https first"),
    "a path without override_path": (one("https://a/x"), "add override_path: true"),
    "no endpoints": ("mirrors: {quay.io: {endpoints: []}}\n", "is empty: add a mirror"),
    "nothing but an image": (
        "mirrors: {quay.io: {verify: quay.io/a/b:1}}\n",
        "1:11: mirrors.quay.io: needs endpoints",
    ),
    "nothing and no fallback": (
        "defaults: {fallback: never}\nmirrors: {quay.io: }\n",
        "2:11: mirrors.quay.io: needs endpoints",
    ),
    "an image of another registry": (
        "mirrors: {quay.io: {endpoints: [https://a], verify: gcr.io/a:1}}\n",
        "gcr.io/a:1 does not belong to quay.io",
    ),
    "an image that is a command": (
        "mirrors: {quay.io: {endpoints: [https://a], verify: quay.io/a;id}}\n",
        "use the full name, e.g.",
    ),
    "a misspelt key": (
        "mirrors: {quay.io: {endpoint: [https://a], fallbak: never}}\n",
        'unknown key "fallbak" (did you mean "fallback"?)',
    ),
    "a bad duration": (one("{url: https://a, dial_timeout: 3}"), "expected a duration such as 3s"),
    "a header that injects": (
        one('{url: https://a, header: {"A\\r\\nB": x}}'),
        "invalid HTTP header",
    ),
    "a missing certificate": (one("{url: https://a, ca: nowhere.crt}"), "nowhere.crt: cannot be"),
    "a variable that is not set": (
        "mirrors: {quay.io: {endpoints: [https://a]}}\n"
        "configs: {a: {auth: {username: u, password: env:FLEET_NOT_SET}}}\n",
        "the environment variable FLEET_NOT_SET is not set",
    ),
    "an unknown version": (
        "version: 2\nmirrors: {quay.io: {endpoints: [https://a]}}\n",
        "1:10: version",
    ),
}


@pytest.mark.parametrize("name", ["index.docker.io", "registry-1.docker.io"])
def test_docker_hub_has_one_name_in_certs_d(name: str) -> None:
    body = f"{{endpoints: [https://a], verify: {name}/library/busybox:1}}"

    config, warnings = read(f"mirrors: {{{name}: {body}}}\n")

    (hub,) = config.registries
    assert (hub.name, hub.server) == ("docker.io", "https://registry-1.docker.io")
    assert hub.verify == "docker.io/library/busybox:1"
    assert [str(each).partition("warning: ")[2] for each in warnings] == [
        f"mirrors: write docker.io: containerd does not look up its other name {name}"
    ]
    with pytest.raises(
        ConfigErrors, match=f"{name} is another name of docker.io, which is listed already"
    ):
        read(f"mirrors: {{docker.io: {{endpoints: [https://a]}}, {name}: {body}}}\n")


@pytest.mark.parametrize(("text", "expected"), REFUSED.values(), ids=REFUSED)
def test_refused(text: str, expected: str) -> None:
    with pytest.raises(ConfigErrors) as raised:
        read(text)

    assert expected in str(raised.value)
    assert str(raised.value).startswith("mirrors.yaml:")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_is_no_registry_is_refused(name: str) -> None:
    with pytest.raises(ConfigErrors, match=r"mirrors\.yaml:2:3: mirrors: "):
        read(one("https://a", f'"{name}"'))


def test_the_mistakes_of_both_files_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "i").write_text("all: {hosts: {a: {port: x}}}\n")
    (tmp_path / "m").write_text("mirrors: {'a b': {endpoints: [x]}}\n")

    with pytest.raises(ConfigErrors) as raised:
        load_files(tmp_path / "i", tmp_path / "m")

    assert [Path(problem.file).name for problem in raised.value.problems] == ["i", "m"]

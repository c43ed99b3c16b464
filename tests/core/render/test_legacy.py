"""The strategy for containerd before 1.5: mirrors in config.toml."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from fleet.core.containerd.config import CRI_1
from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Auth, ClientPair, Mirror, Registry
from fleet.core.model.secret import Secret
from fleet.core.render.base import DesiredConfig, DesiredFiles
from fleet.core.render.legacy import Legacy
from tests.support.build import CONFIG, facts_with, owning, registry

TLS_FOLDER = "/etc/containerd/fleet"
LOGIN = Mirror(url="https://m.test:5000", auth=Auth("robot", Secret("hunter2")))
HUB = "https://registry-1.docker.io"


def offline(files: dict[str, str], version: str = "1.4.13") -> NodeFacts:
    return replace(facts_with(files, version), offline=True)


def render(*registries: Registry, facts: NodeFacts | None = None) -> DesiredFiles:
    node = facts or offline({CONFIG: "version = 2\n"})
    return Legacy().render(node, DesiredConfig(registries))


def table(desired: DesiredFiles) -> dict[str, Any]:
    data = tomllib.loads(desired.files[CONFIG].content.decode())
    found: dict[str, Any] = data["plugins"][CRI_1]["registry"]
    return found


ENDPOINTS = {
    "Docker Hub itself is implied": (
        registry("docker.io", "https://a", "https://b"),
        ["https://a", "https://b"],
    ),
    "the registry itself is implied": (registry("quay.io", "https://a"), ["https://a"]),
    "another server comes last": (
        registry("quay.io", "https://a", server="https://q.corp.test"),
        ["https://a", "https://q.corp.test"],
    ),
    "the hub's server of another registry": (
        registry("quay.io", "https://a", server=HUB),
        ["https://a", HUB],
    ),
    "a path is written as it is": (registry("quay.io", "https://a/v2/q"), ["https://a/v2/q"]),
}


@pytest.mark.parametrize(("item", "urls"), ENDPOINTS.values(), ids=list(ENDPOINTS))
def test_the_endpoints_of_a_registry(item: Registry, urls: list[str]) -> None:
    assert table(render(item))["mirrors"] == {item.name: {"endpoint": urls}}


def test_the_wildcard_is_a_star() -> None:
    assert table(render(registry("_default", "https://a")))["mirrors"] == {
        "*": {"endpoint": ["https://a"]}
    }


def test_a_login_is_by_the_host_of_its_endpoint() -> None:
    desired = render(registry("docker.io", mirrors=(LOGIN,)))

    assert table(desired)["configs"] == {
        "m.test:5000": {"auth": {"username": "robot", "password": "hunter2"}}
    }
    assert (desired.files[CONFIG].mode, desired.files[CONFIG].secret) == (0o600, True)


def test_a_config_without_a_login_is_not_private() -> None:
    assert not render(registry("docker.io")).files[CONFIG].secret


TLS = Mirror(
    url="https://m.test:5000",
    skip_verify=True,
    ca=(b"one\n", b"two\n"),
    client=(ClientPair(b"cert", b"key"), ClientPair(b"second", b"second")),
)


def test_tls_settings_name_files_of_fleet() -> None:
    """Only the first client certificate is used: there is room for one."""
    desired = render(registry("docker.io", mirrors=(TLS,)))

    stem = f"{TLS_FOLDER}/m.test_5000"
    assert table(desired)["configs"]["m.test:5000"]["tls"] == {
        "insecure_skip_verify": True,
        "ca_file": f"{stem}.ca.pem",
        "cert_file": f"{stem}.client.pem",
        "key_file": f"{stem}.client.key.pem",
    }
    assert {
        path: (file.content, file.mode) for path, file in desired.files.items() if path != CONFIG
    } == {
        f"{stem}.ca.pem": (b"one\ntwo\n", 0o644),
        f"{stem}.client.pem": (b"cert", 0o644),
        f"{stem}.client.key.pem": (b"key", 0o600),
    }


def test_a_file_with_both_a_certificate_and_its_key_is_private() -> None:
    both = replace(TLS, ca=(), client=(ClientPair(b"both", None),))

    files = render(registry("docker.io", mirrors=(both,))).files

    stem = f"{TLS_FOLDER}/m.test_5000"
    assert {files[f"{stem}.client{name}.pem"].mode for name in ("", ".key")} == {0o600}
    assert files[f"{stem}.client.key.pem"].content == b"both"


def test_the_settings_that_fleet_owns_are_named() -> None:
    desired = render(registry("docker.io", mirrors=(replace(LOGIN, skip_verify=True),)))

    assert desired.legacy == (
        'mirrors."docker.io"',
        'configs."m.test:5000".auth',
        'configs."m.test:5000".tls',
    )
    assert desired.hosts_directory is None


def test_settings_that_mirrors_yaml_names_no_more_are_removed() -> None:
    text = (
        f'version = 2\n[plugins."{CRI_1}".registry.mirrors."quay.io"]\n  endpoint = ["https://a"]\n'
    )
    facts = owning(offline({CONFIG: text}), CONFIG, legacy=('mirrors."quay.io"',))

    desired = render(registry("docker.io"), facts=facts)

    assert list(table(desired)["mirrors"]) == ["docker.io"]
    assert 'mirrors."quay.io": no longer in mirrors.yaml, removed' in desired.notes


def test_a_mirror_that_fleet_did_not_write_stays() -> None:
    text = (
        f'version = 2\n[plugins."{CRI_1}".registry.mirrors."quay.io"]\n  endpoint = ["https://a"]\n'
    )

    desired = render(registry("docker.io"), facts=offline({CONFIG: text}))

    assert set(table(desired)["mirrors"]) == {"docker.io", "quay.io"}


def test_a_config_that_has_the_settings_already_is_not_written() -> None:
    first = render(registry("docker.io"))
    facts = offline({CONFIG: first.files[CONFIG].content.decode()})

    assert CONFIG not in render(registry("docker.io"), facts=facts).files


IMPOSSIBLE = {
    "fallback: never": (
        registry("quay.io", fallback=False),
        "cannot block the fallback of quay.io",
    ),
    "rewrite": (registry("quay.io", rewrite=(("^a", "b"),)), "does not support rewrite"),
    "a header": (
        registry(
            "quay.io", mirrors=(Mirror(url="https://m", header=(("X", (Secret("hunter2"),)),)),)
        ),
        "cannot send a header to only one mirror (https://m)",
    ),
    "override_path without a path": (
        registry("quay.io", mirrors=(Mirror(url="https://m", override_path=True),)),
        "cannot leave out /v2 for https://m, which has no path",
    ),
}


@pytest.mark.parametrize(("item", "words"), IMPOSSIBLE.values(), ids=list(IMPOSSIBLE))
def test_what_legacy_mirrors_cannot_express_is_refused(item: Registry, words: str) -> None:
    with pytest.raises(NodeError) as raised:
        render(item)

    assert raised.value.failure.kind is FailureKind.UNSUPPORTED
    assert words in raised.value.failure.message
    assert "hunter2" not in raised.value.failure.message


@pytest.mark.parametrize(
    ("mirror", "words"),
    [(LOGIN, "the login for m.test:5000"), (TLS, "the TLS setting of m.test:5000")],
    ids=["a login", "TLS"],
)
def test_1_2_knows_neither_logins_nor_tls(mirror: Mirror, words: str) -> None:
    facts = offline({}, "1.2.9")

    with pytest.raises(
        NodeError, match=f"containerd 1.2.9 has no registry.configs, which {words} needs"
    ):
        render(registry("docker.io", mirrors=(mirror,)), facts=facts)


def test_1_2_has_no_version_in_its_config() -> None:
    desired = render(registry("docker.io", "https://a"), facts=offline({}, "1.2.9"))

    assert tomllib.loads(desired.files[CONFIG].content.decode()) == {
        "plugins": {"cri": {"registry": {"mirrors": {"docker.io": {"endpoint": ["https://a"]}}}}}
    }


def test_a_config_that_containerd_refuses_is_not_edited() -> None:
    facts = facts_with({CONFIG: "version = 2\n"}, "1.4.13")

    with pytest.raises(NodeError, match=f"containerd refuses {CONFIG}"):
        render(registry("docker.io"), facts=facts)

"""Mirrors, registries and the overrides of groups."""

from __future__ import annotations

import pytest

from fleet.core.model.mirror import Auth, Mirror, MirrorConfig, Override, Registry
from fleet.core.model.secret import Secret

URLS = {
    "https://m.test": ("https", "m.test", ""),
    "http://m.test:5000": ("http", "m.test:5000", ""),
    "https://m.test/": ("https", "m.test", ""),
    "https://m.test/v2/docker.io": ("https", "m.test", "/v2/docker.io"),
    "https://m.test/a/": ("https", "m.test", "/a"),
    "https://[fd00::1]:5000/a": ("https", "[fd00::1]:5000", "/a"),
}


@pytest.mark.parametrize(("url", "parts"), URLS.items(), ids=list(URLS))
def test_the_parts_of_a_mirrors_url(url: str, parts: tuple[str, str, str]) -> None:
    mirror = Mirror(url=url)

    assert (mirror.scheme, mirror.authority, mirror.path) == parts


def test_a_mirror_may_be_pulled_from_and_resolve_names_by_default() -> None:
    assert Mirror(url="https://m").capabilities == ("pull", "resolve")


def test_a_login_is_a_user_and_a_password() -> None:
    auth = Auth("robot", Secret("hunter2"))

    assert auth.settings() == (("username", "robot"), ("password", "hunter2"))


def test_an_identity_token_stands_alone() -> None:
    auth = Auth("robot", Secret("unused"), Secret("token"))

    assert auth.settings() == (("identitytoken", "token"),)


def test_an_empty_identity_token_is_one_too() -> None:
    assert Auth("robot", Secret("x"), Secret("")).settings() == (("identitytoken", ""),)


def registry(name: str, *urls: str, upstream: Mirror | None = None) -> Registry:
    mirrors = tuple(Mirror(url=url) for url in urls)
    return Registry(name=name, server=f"https://{name}", mirrors=mirrors, upstream=upstream)


def test_the_hosts_of_a_registry_end_with_its_upstream() -> None:
    upstream = Mirror(url="https://r", skip_verify=True)

    hosts = registry("r", "https://a", "https://b", upstream=upstream).hosts

    assert [host.url for host in hosts] == ["https://a", "https://b", "https://r"]


def test_an_upstream_without_settings_is_not_a_host() -> None:
    assert [host.url for host in registry("r", "https://a").hosts] == ["https://a"]


PLAIN, NEARER = registry("docker.io", "https://a"), registry("docker.io", "https://b")
NEAREST, QUAY = registry("docker.io", "https://c"), registry("quay.io", "https://d")
GCR = registry("gcr.io", "https://e")
CONFIG = MirrorConfig(
    (PLAIN, GCR),
    (
        Override("site-b", {"docker.io": NEARER, "quay.io": QUAY}),
        Override("site-c", {"docker.io": NEAREST}),
    ),
)
GROUPS: dict[str, tuple[set[str], tuple[Registry, ...]]] = {
    "no override": (set(), (PLAIN, GCR)),
    "an override replaces a registry and adds one": ({"site-b"}, (NEARER, GCR, QUAY)),
    "the last override wins": ({"site-b", "site-c"}, (NEAREST, GCR, QUAY)),
    "another text": ({"site"}, (PLAIN, GCR)),
}


@pytest.mark.parametrize(("matching", "registries"), GROUPS.values(), ids=list(GROUPS))
def test_the_registries_of_a_node_by_its_overrides(
    matching: set[str], registries: tuple[Registry, ...]
) -> None:
    assert CONFIG.for_groups(frozenset(matching)) == registries

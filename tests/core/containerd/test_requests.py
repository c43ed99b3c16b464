"""Requests as containerd makes them, as its daemons were seen to."""

from __future__ import annotations

import pytest

from fleet.core.containerd.proxy import proxy_for
from fleet.core.containerd.requests import parse_image, ping_path, pull_path, split_authority
from fleet.core.model.mirror import Mirror


@pytest.mark.parametrize(
    ("url", "override", "path"),
    [
        pytest.param("http://a:5000", False, "/v2/library/x/manifests/1", id="no path"),
        pytest.param("http://a:5000/v2", False, "/v2/library/x/manifests/1", id="v2 alone"),
        pytest.param("http://a/proxy", False, "/proxy/v2/library/x/manifests/1", id="a path"),
        pytest.param("http://a/v2/h", True, "/v2/h/library/x/manifests/1", id="overridden"),
        pytest.param("http://a", True, "/library/x/manifests/1", id="overridden by nothing"),
    ],
)
def test_paths_are_those_of_the_table_of_daemons(url: str, override: bool, path: str) -> None:
    image = parse_image("docker.io/library/x:1")
    mirror = Mirror(url=url, override_path=override)

    assert image is not None
    assert pull_path(mirror, image, "manifests", image.name) == f"{path}?ns=docker.io"


@pytest.mark.parametrize(
    ("url", "registry"),
    [("https://quay.io", "quay.io"), ("https://registry-1.docker.io", "docker.io")],
)
def test_a_registry_is_not_named_to_itself(url: str, registry: str) -> None:
    image = parse_image(f"{registry}/a/b@sha256:{'0' * 64}")

    assert image is not None
    assert "ns=" not in pull_path(Mirror(url=url), image, "manifests", image.name)


def test_a_path_of_its_own_does_not_move_where_a_registry_says_what_it_is() -> None:
    assert ping_path(Mirror(url="https://a/v2/h", override_path=True)) == "/v2/"
    assert ping_path(Mirror(url="https://a/proxy")) == "/proxy/v2/"


@pytest.mark.parametrize("text", ["busybox", "docker.io/Library/x", "docker.io/x:a b", ""])
def test_what_is_no_full_reference_is_none(text: str) -> None:
    assert parse_image(text) is None


@pytest.mark.parametrize(
    ("authority", "scheme", "expected"),
    [
        ("a.example", "https", ("a.example", 443)),
        ("a.example:5000", "http", ("a.example", 5000)),
        ("[fd00::1]:5000", "https", ("fd00::1", 5000)),
        ("[fd00::1]", "http", ("fd00::1", 80)),
    ],
)
def test_authorities_are_parted(authority: str, scheme: str, expected: tuple[str, int]) -> None:
    assert split_authority(authority, scheme) == expected


PROXY = {"HTTPS_PROXY": "http://user:secret@proxy:3128"}


@pytest.mark.parametrize(
    ("url", "excluded", "proxied"),
    [
        pytest.param("https://m.example", "", True, id="nothing excluded"),
        pytest.param("http://m.example", "", False, id="no proxy for http"),
        pytest.param("https://127.0.0.1:5000", "", False, id="loopback"),
        pytest.param("https://m.example", "*", False, id="everything excluded"),
        pytest.param("https://m.example", "a, m.example", False, id="by its name"),
        pytest.param("https://m.example", "example", False, id="by its domain"),
        pytest.param("https://m.example", ".example", False, id="by a domain with a dot"),
        pytest.param("https://example", ".example", True, id="a dot is what stands below"),
        pytest.param("https://m.example", "ample", True, id="half a label"),
        pytest.param("https://10.0.0.5:5000", "10.0.0.0/8", False, id="by its network"),
        pytest.param("https://10.0.0.5:5000", "10.0.0.5:443", True, id="by another port"),
        pytest.param("https://m.example", "m.example:443", False, id="by its port"),
    ],
)
def test_proxies_are_taken_as_go_takes_them(url: str, excluded: str, proxied: bool) -> None:
    found = proxy_for(url, {**PROXY, "NO_PROXY": excluded})

    assert found == ("http://proxy:3128" if proxied else None)

"""Registry names and mirror URLs: what is accepted, their normal form, and Docker Hub's names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.containerd.registry_url import (
    HUB,
    default_server,
    folder_name,
    is_hub_site,
    is_upstream,
    normal_url,
    path_of,
    registry_problem,
    url_problem,
    with_scheme,
    without_v2,
)

FOLDERS = {
    "*": "_default",
    "_default": "_default",
    "docker.io": "docker.io",
    "index.docker.io": "docker.io",
    "registry-1.docker.io": "docker.io",
    "registry.hub.docker.com": "docker.io",
    "quay.io": "quay.io",
    "r.test:5000": "r.test:5000",
    "hub.docker.io": "hub.docker.io",
}


@pytest.mark.parametrize(("registry", "folder"), FOLDERS.items(), ids=list(FOLDERS))
def test_the_folder_of_a_registry(registry: str, folder: str) -> None:
    assert folder_name(registry) == folder


GOOD_NAMES = (
    *("docker.io", "quay.io", "localhost", "localhost:5000", "r.test:1", "r.test:65535", "a"),
    *("10.0.0.5:5000", "[fd00::1]", "[fd00::1]:5000", "my_registry.a-b.test", "_default", "*"),
    *("a" * 63, "0.0"),
)
BAD_NAMES = {
    "nothing": "",
    "a path": "docker.io/library",
    "a scheme": "https://docker.io",
    "port 0": "r.test:0",
    "a port that is too large": "r.test:65536",
    "zeros before a port": "r.test:080",
    "a port of letters": "r.test:http",
    "no port behind a colon": "r.test:",
    "two dots": "a..b",
    "a dot at the end": "a.",
    "a dash at the end": "a-",
    "a dash at the start": "-a",
    "a label of 64 letters": "a" * 64,
    "a name of 251 letters": ".".join(["a" * 49] * 5) + ".b",
    "dots alone": "..",
    "a space": "a b",
    "another script": "регистр",
    "IPv6 without brackets": "fd00::1",
    "brackets around a name": "[docker.io]",
    "an address of IPv6 that is not one": "[fd00:::1]",
    "a login": "u@r.test",
}


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_registry_name(name: str) -> None:
    assert registry_problem(name) is None


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=list(BAD_NAMES))
def test_what_is_not_a_registry_name(name: str) -> None:
    problem = registry_problem(name)

    assert problem is not None
    assert problem.startswith(repr(name))


def test_the_longest_registry_name() -> None:
    assert registry_problem(".".join(["a" * 49] * 5)) is None


def test_capitals_are_answered_with_the_right_name() -> None:
    assert registry_problem("Docker.io") == "registry names are lower case: 'docker.io'"


GOOD_URLS = (
    *("https://m.test", "http://m.test:5000", "https://M.Test/v2/docker.io", "https://m.test/"),
    *("http://10.0.0.5:5000/a~b/%41+c@d-e_f.g", "https://[fd00::1]:5000/v2", "https://localhost"),
)
BAD_URLS = {
    "no scheme": ("m.test:5000", "write https://m.test:5000 or http://m.test:5000"),
    "another scheme": ("ftp://m.test", "expected http:// or https://"),
    "a scheme in capitals": ("HTTPS://m.test", "expected http:// or https://"),
    "a login": ("https://u:p@m.test", "put user and password under configs.HOST.auth"),
    "no host": ("https:///v2", "'' is not HOST or HOST:PORT"),
    "a port that is too large": ("https://m.test:65536", "'m.test:65536' is not HOST or HOST:PORT"),
    "a host of another script": ("https://тест", "is not HOST or HOST:PORT"),
    "a letter that becomes ASCII in lower case": (
        "https://\u212a.test",
        "is not HOST or HOST:PORT",
    ),
    "a query": ("https://m.test/a?b=c", "the path has invalid characters or a query"),
    "a fragment": ("https://m.test/#a", "the path has invalid characters or a query"),
    "a space in a path": ("https://m.test/a b", "the path has invalid characters"),
    "two slashes": ("https://m.test//a", "the path has invalid characters"),
    "a path up": ("https://m.test/a/../b", "the path has invalid characters"),
}


@pytest.mark.parametrize("url", GOOD_URLS)
def test_a_mirror_url(url: str) -> None:
    assert url_problem(url) is None


@pytest.mark.parametrize(("url", "words"), BAD_URLS.values(), ids=list(BAD_URLS))
def test_what_is_not_a_mirror_url(url: str, words: str) -> None:
    assert words in (url_problem(url) or "")


def test_the_message_about_a_login_does_not_repeat_it() -> None:
    assert "hunter2" not in (url_problem("https://u:hunter2@m.test") or "")


NORMAL = {
    "https://M.Test": "https://m.test",
    "https://m.test/": "https://m.test",
    "https://m.test:443": "https://m.test",
    "http://m.test:80/": "http://m.test",
    "http://m.test:443": "http://m.test:443",
    "https://m.test:80": "https://m.test:80",
    "https://m.test:5000/V2/A/": "https://m.test:5000/V2/A",
    "https://m.test:443/a": "https://m.test/a",
}


@pytest.mark.parametrize(("url", "normal"), NORMAL.items(), ids=list(NORMAL))
def test_the_normal_form_of_a_url(url: str, normal: str) -> None:
    assert normal_url(url) == normal


@given(
    st.sampled_from(["http", "https"]),
    st.sampled_from(["M.test", "a:80", "a:443", "[FD00::1]:443"]),
    st.sampled_from(["", "/", "/v2", "/v2/", "/A/b//"]),
)
def test_a_normal_form_is_its_own_normal_form(scheme: str, host: str, path: str) -> None:
    normal = normal_url(f"{scheme}://{host}{path}")

    assert normal_url(normal) == normal


PATHS = {
    "https://m": ("", "https://m"),
    "https://m/": ("", "https://m/"),
    "https://m/v2": ("", "https://m"),
    "https://m/v2/docker.io": ("/v2/docker.io", "https://m/v2/docker.io"),
    "https://m/proxy": ("/proxy", "https://m/proxy"),
    "https://m/a/v2": ("/a/v2", "https://m/a/v2"),
}


@pytest.mark.parametrize(("url", "path"), [(u, p) for u, (p, _) in PATHS.items()], ids=list(PATHS))
def test_the_path_of_a_url_is_empty_if_every_registry_has_it(url: str, path: str) -> None:
    assert path_of(url) == path


@pytest.mark.parametrize(("url", "bare"), [(u, b) for u, (_, b) in PATHS.items()], ids=list(PATHS))
def test_a_path_that_containerd_adds_is_left_out(url: str, bare: str) -> None:
    assert without_v2(url) == bare


@pytest.mark.parametrize(
    ("registry", "server"),
    [
        ("docker.io", HUB),
        ("quay.io", "https://quay.io"),
        ("r.test:5000", "https://r.test:5000"),
        ("_default", None),
    ],
)
def test_the_server_of_a_registry(registry: str, server: str | None) -> None:
    assert default_server(registry) == server


UPSTREAM = {
    "the registry": ("https://quay.io", "quay.io", True),
    "with /v2": ("https://quay.io/v2", "quay.io", True),
    "with another path": ("https://quay.io/proxy", "quay.io", False),
    "in plain HTTP": ("http://quay.io", "quay.io", False),
    "another port": ("https://quay.io:5000", "quay.io", False),
    "its own port": ("https://r.test:5000", "r.test:5000", True),
    "the default port": ("https://r.test", "r.test:443", True),
    "another host": ("https://m.test", "quay.io", False),
    "Docker Hub's server": ("https://registry-1.docker.io", "docker.io", True),
    "Docker Hub's site": ("https://docker.io", "docker.io", True),
    "Docker Hub in plain HTTP": ("http://index.docker.io", "docker.io", True),
    "a mirror of Docker Hub": ("https://mirror.gcr.io", "docker.io", False),
}


@pytest.mark.parametrize(("url", "registry", "same"), UPSTREAM.values(), ids=list(UPSTREAM))
def test_whether_a_url_is_the_registry_itself(url: str, registry: str, same: bool) -> None:
    assert is_upstream(url, registry) is same


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://docker.io", True),
        ("http://Docker.io/", True),
        ("https://index.docker.io/v1/", True),
        ("https://registry-1.docker.io", False),
        ("https://index.docker.io", False),
        ("https://docker.io/library", False),
    ],
)
def test_the_web_site_of_docker_hub(url: str, site: bool) -> None:
    assert is_hub_site(url) is site


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("a.example:5000/x", "https://a.example:5000/x"),
        ("localhost:5000", "http://localhost:5000"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("127.0.0.1:443", "https://127.0.0.1:443"),
        ("http://a", "http://a"),
    ],
)
def test_an_address_without_a_scheme_has_that_of_k3s(address: str, url: str) -> None:
    assert with_scheme(address) == url

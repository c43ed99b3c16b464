"""The proxy that a daemon uses for a URL, by Go's rules."""

from __future__ import annotations

import pytest

from fleet.core.containerd.proxy import proxy_for

PROXY = "http://proxy.test:3128"
BOTH = {"HTTP_PROXY": "http://plain.test", "HTTPS_PROXY": PROXY}

ENVIRONMENTS: dict[str, tuple[str, dict[str, str], str | None]] = {
    "none": ("https://m.test", {}, None),
    "for https": ("https://m.test", BOTH, PROXY),
    "for http": ("http://m.test", BOTH, "http://plain.test"),
    "of the other scheme alone": ("http://m.test", {"HTTPS_PROXY": PROXY}, None),
    "in small letters": ("https://m.test", {"https_proxy": PROXY}, PROXY),
    "capitals win": ("https://m.test", {"https_proxy": "http://x", "HTTPS_PROXY": PROXY}, PROXY),
    "empty": ("https://m.test", {"HTTPS_PROXY": ""}, None),
    "a login is left out": (
        "https://m.test",
        {"HTTPS_PROXY": "http://u:p@proxy.test"},
        "http://proxy.test",
    ),
    "localhost": ("https://localhost:5000", BOTH, None),
    "loopback": ("https://127.1.2.3", BOTH, None),
    "loopback of IPv6": ("https://[::1]:5000", BOTH, None),
    "a name that begins like localhost": ("https://localhost.test", BOTH, PROXY),
}


@pytest.mark.parametrize(
    ("url", "environment", "proxy"), ENVIRONMENTS.values(), ids=list(ENVIRONMENTS)
)
def test_the_proxy_of_an_environment(
    url: str, environment: dict[str, str], proxy: str | None
) -> None:
    assert proxy_for(url, environment) == proxy


EXCLUDED = {
    "everything": ("https://m.test", "*", True),
    "the host": ("https://m.test", "m.test", True),
    "capitals and spaces": ("https://m.test", " a.test , M.Test ", True),
    "another host": ("https://m.test", "a.test", False),
    "nothing between commas": ("https://m.test", ",,", False),
    "its domain": ("https://m.corp.test", "corp.test", True),
    "its domain with a dot": ("https://m.corp.test", ".corp.test", True),
    "its domain with a star": ("https://m.corp.test", "*.corp.test", True),
    "a dot covers subdomains alone": ("https://corp.test", ".corp.test", False),
    "a star covers subdomains alone": ("https://corp.test", "*.corp.test", False),
    "a name that ends alike": ("https://mycorp.test", "corp.test", False),
    "the host with its port": ("https://m.test:5000", "m.test:5000", True),
    "the host with another port": ("https://m.test:5000", "m.test:80", False),
    "the default port of https": ("https://m.test", "m.test:443", True),
    "the default port of http": ("http://m.test", "m.test:80", True),
    "a domain with a port": ("https://a.m.test:5000", "m.test:5000", True),
    "an address": ("https://10.0.0.5", "10.0.0.5", True),
    "a network": ("https://10.0.0.5:5000", "10.0.0.0/8", True),
    "a network with bits of a host": ("https://10.0.0.5", "10.1.2.3/8", True),
    "another network": ("https://10.0.0.5", "192.168.0.0/16", False),
    "a network that is not one": ("https://10.0.0.5", "10.0.0.0/99", False),
    "a network of IPv6": ("https://[fd00::5]", "fd00::/8", True),
    "an address of IPv6": ("https://[fd00::5]", "fd00::5", True),
    "a network against a name": ("https://m.test", "10.0.0.0/8", False),
}


@pytest.mark.parametrize(("url", "excluded", "direct"), EXCLUDED.values(), ids=list(EXCLUDED))
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_what_no_proxy_excludes(url: str, excluded: str, direct: bool, name: str) -> None:
    assert (proxy_for(url, {**BOTH, name: excluded}) is None) is direct


def test_capitals_of_no_proxy_win() -> None:
    environment = {**BOTH, "NO_PROXY": "a.test", "no_proxy": "m.test"}

    assert proxy_for("https://m.test", environment) == PROXY

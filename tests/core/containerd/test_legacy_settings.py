"""Legacy settings of a registry table: whether there are any, and what is removed."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.core.containerd.legacy_settings import has_legacy, hosts_with_tls, legacy_paths

MIRRORS: dict[str, Any] = {"mirrors": {"docker.io": {"endpoint": ["https://m"]}}}
TABLES: dict[str, tuple[dict[str, Any], bool, list[tuple[str, ...]]]] = {
    "nothing": ({}, False, []),
    "a config path": ({"config_path": "/a"}, False, []),
    "mirrors": (MIRRORS, True, [("mirrors",)]),
    "empty mirrors": ({"mirrors": {}}, False, [("mirrors",)]),
    "mirrors of another form": ({"mirrors": 5}, False, [("mirrors",)]),
    "a host with TLS alone": (
        {"configs": {"h": {"tls": {"ca_file": "/a"}}}},
        True,
        [("configs", "h")],
    ),
    "a host with TLS and a login": (
        {"configs": {"h": {"tls": {"ca_file": "/a"}, "auth": {"username": "u"}}}},
        True,
        [("configs", "h", "tls")],
    ),
    "a host with empty TLS": ({"configs": {"h": {"tls": {}}}}, False, [("configs", "h")]),
    "a host with a login": ({"configs": {"h": {"auth": {"username": "u"}}}}, False, []),
    "a host of another form": ({"configs": {"h": 5}}, False, []),
    "both": (
        {**MIRRORS, "configs": {"h": {"tls": {"ca_file": "/a"}}}},
        True,
        [("mirrors",), ("configs", "h")],
    ),
}


@pytest.mark.parametrize(("registry", "legacy", "paths"), TABLES.values(), ids=list(TABLES))
def test_what_of_a_registry_table_is_legacy(
    registry: dict[str, Any], legacy: bool, paths: list[tuple[str, ...]]
) -> None:
    assert has_legacy(registry) is legacy
    assert [*legacy_paths(registry)] == paths


def test_the_tls_settings_of_each_host() -> None:
    tls = {"ca_file": "/a"}

    assert hosts_with_tls({"configs": {"a": {"tls": tls}, "b": {"tls": {}}, "c": {}, "d": 5}}) == {
        "a": tls
    }

"""Registry settings as a release reads them, and their comparison with what is intended."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.core.containerd.registry_settings import difference, effective, less_defaults, unequal
from tests.support.build import release

Table = dict[str, Any]
LOGIN: Table = {"configs": {"h": {"auth": {"username": "u", "password": "s3cret"}}}}
TLS: Table = {"configs": {"h": {"tls": {"ca_file": "/c", "insecure_skip_verify": True}}}}

EFFECTIVE: dict[str, tuple[Table, Table]] = {
    "nothing": ({}, {}),
    "a config path": ({"config_path": "/a"}, {"config_path": "/a"}),
    "an empty config path": ({"config_path": ""}, {}),
    "a mirror": (
        {"mirrors": {"docker.io": {"endpoint": ["https://m"]}}},
        {"mirrors": {"docker.io": {"endpoint": ["https://m"]}}},
    ),
    "a mirror without endpoints": (
        {"mirrors": {"docker.io": {}}},
        {"mirrors": {"docker.io": {"endpoint": []}}},
    ),
    "unknown keys of a mirror": (
        {"mirrors": {"docker.io": {"endpoint": [], "x": 1}}},
        {"mirrors": {"docker.io": {"endpoint": []}}},
    ),
    "no mirrors": ({"mirrors": {}}, {}),
    "a login": (LOGIN, LOGIN),
    "empty values of a login": (
        {"configs": {"h": {"auth": {"username": "u", "password": "", "x": 1}}}},
        {"configs": {"h": {"auth": {"username": "u"}}}},
    ),
    "an empty host": ({"configs": {"h": {"auth": {}, "tls": {}}}}, {}),
    "TLS": (TLS, TLS),
    "TLS that is off": ({"configs": {"h": {"tls": {"insecure_skip_verify": False}}}}, {}),
    "the old table of logins": (
        {"auths": {"https://h": {"auth": "x", "y": 1}, "https://i": {}}},
        {"auths": {"https://h": {"auth": "x"}}},
    ),
    "headers": ({"headers": {"X": ["a"], "Y": []}}, {"headers": {"X": ["a"]}}),
    "unknown keys": ({"unknown": 1}, {}),
}


@pytest.mark.parametrize(("registry", "settings"), EFFECTIVE.values(), ids=list(EFFECTIVE))
def test_the_settings_that_1_7_reads(registry: Table, settings: Table) -> None:
    assert effective(release("1.7.24"), registry) == settings


def test_releases_before_1_5_do_not_know_config_path() -> None:
    assert effective(release("1.4.13"), {"config_path": "/a"}) == {}


def test_2_x_ignores_tls_and_reads_logins() -> None:
    both = {"configs": {"h": {**LOGIN["configs"]["h"], **TLS["configs"]["h"]}}}

    assert effective(release("2.0.11"), both) == LOGIN


UNEQUAL: dict[str, tuple[Table, Table, list[tuple[str, ...]]]] = {
    "equal": (LOGIN, LOGIN, []),
    "nothing": ({}, {}, []),
    "a value": ({"config_path": "/a"}, {"config_path": "/b"}, [("config_path",)]),
    "a value that is missing": ({"config_path": "/a"}, {}, [("config_path",)]),
    "a value that is added": ({}, {"config_path": "/a"}, [("config_path",)]),
    "an entry": ({"headers": {"X": 1}}, {"headers": {"X": 2}}, [("headers", "X")]),
    "an entry that is missing": ({"headers": {"X": 1}}, {"headers": {}}, [("headers", "X")]),
    "a table that is missing": ({"headers": {"X": 1}}, {}, [("headers", "X")]),
    "a host is one entry": (LOGIN, TLS, [("configs", "h")]),
    "a table and a value": ({"headers": {"X": 1}}, {"headers": "x"}, [("headers",)]),
    "in the order of names": (
        {"b": 1, "a": {"d": 1, "c": 1}},
        {},
        [("a", "c"), ("a", "d"), ("b",)],
    ),
}


@pytest.mark.parametrize(("meant", "actual", "paths"), UNEQUAL.values(), ids=list(UNEQUAL))
def test_the_paths_of_settings_that_differ(
    meant: Table, actual: Table, paths: list[tuple[str, ...]]
) -> None:
    assert unequal(meant, actual) == paths


def test_a_difference_names_settings_and_no_secret() -> None:
    meant = {"config_path": "/a", **LOGIN, "headers": {f"X{n}": ["v"] for n in range(5)}}

    assert difference(release("2.1.9"), meant, {"config_path": "/b"}) == (
        "config_path, configs.h, headers.X0 and 4 more (config_path is '/b' instead of '/a')"
    )


def test_three_differences_are_all_named() -> None:
    headers = {"headers": {"X": ["v"], "Y": ["v"], "Z": ["v"]}}

    assert difference(release("2.1.9"), headers, {}) == "headers.X, headers.Y, headers.Z"


def test_a_config_path_that_is_missing_is_shown_empty() -> None:
    assert difference(release("2.1.9"), {"config_path": "/a"}, {}) == (
        "config_path (config_path is '' instead of '/a')"
    )


def test_equal_settings_have_no_difference() -> None:
    assert difference(release("2.1.9"), LOGIN, {**LOGIN, "unknown": 1}) == ""


HUB: Table = {"mirrors": {"docker.io": {"endpoint": ["https://registry-1.docker.io"]}}}
QUAY: Table = {"mirrors": {"quay.io": {"endpoint": ["https://m"]}}}
DEFAULT_PATH: Table = {"config_path": "/etc/containerd/certs.d:/etc/docker/certs.d"}
DEFAULTS: dict[str, tuple[str, Table, Table, Table]] = {
    "the preset of 1.4": ("1.4.13", HUB, {}, {}),
    "beside another mirror": (
        "1.4.13",
        {"mirrors": {**HUB["mirrors"], **QUAY["mirrors"]}},
        {},
        QUAY,
    ),
    "the preset, where docker.io is meant": ("1.4.13", HUB, HUB, HUB),
    "docker.io by another mirror": (
        "1.4.13",
        {"mirrors": {"docker.io": {"endpoint": ["https://m"]}}},
        {},
        {"mirrors": {"docker.io": {"endpoint": ["https://m"]}}},
    ),
    "1.7 has no preset": ("1.7.24", HUB, {}, HUB),
    "the default path of 2.2": ("2.2.1", DEFAULT_PATH, {}, {}),
    "the default path, where one is meant": (
        "2.2.1",
        DEFAULT_PATH,
        {"config_path": "/a"},
        DEFAULT_PATH,
    ),
    "2.1 has no default path": ("2.1.9", DEFAULT_PATH, {}, DEFAULT_PATH),
}


@pytest.mark.parametrize(
    ("version", "actual", "meant", "rest"), DEFAULTS.values(), ids=list(DEFAULTS)
)
def test_defaults_of_a_release_are_left_out(
    version: str, actual: Table, meant: Table, rest: Table
) -> None:
    assert less_defaults(release(version), actual, meant) == rest


def test_defaults_of_a_release_are_not_a_difference() -> None:
    assert difference(release("2.2.1"), {}, DEFAULT_PATH) == ""


@pytest.mark.parametrize("value", [5, "x", [1], {"docker.io": 5}, {"docker.io": {"endpoint": 5}}])
@pytest.mark.parametrize("key", ["config_path", "mirrors", "configs", "auths", "headers"])
def test_a_registry_of_any_shape_equals_itself(key: str, value: Any) -> None:
    assert difference(release("1.7.24"), {key: value}, {key: value}) == ""

"""The merged config of each kind of release; tests/golden compares it with real daemons."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from fleet.core.containerd.config import CRI_1, IMAGES
from fleet.core.containerd.merged_config import MergedConfig, merge_files, registry_plugins
from tests.support.build import release

GRPC = f'[plugins."{CRI_1}".registry]\n  config_path = "/grpc"\n'
IMG = f'[plugins."{IMAGES}".registry]\n  config_path = "/images"\n'
OLD = '[plugins.cri.registry]\n  config_path = "/cri"\n'
LOGIN = f'[plugins."{CRI_1}".registry.configs."h".auth]\n  username = "u"\n'


def merged(version: str, *texts: str) -> MergedConfig:
    return merge_files(release(version), [tomllib.loads(text) for text in texts])


PATHS: dict[str, tuple[tuple[str, ...], dict[str, str | None]]] = {
    "both ids": (
        (f"version = 2\n{IMG}{GRPC}",),
        {"1.7.24": "/grpc", "2.1.9": "/grpc", "2.3.4": "/grpc"},
    ),
    "the new id": ((f"version = 2\n{IMG}",), {"1.7.24": None, "2.1.9": "/images"}),
    "the old id in version 3": ((f"version = 3\n{GRPC}",), {"2.1.9": None, "2.3.4": "/grpc"}),
    "no version": ((f"{OLD}{IMG}",), {"1.7.24": "/cri", "2.1.9": "/images", "2.3.4": "/cri"}),
    "no version, then version 2": (
        (OLD, "version = 2\n"),
        {"1.7.24": None, "2.1.9": "/cri", "2.3.4": "/cri"},
    ),
    "version 2 over version 3": (
        (f"version = 3\n{IMG}", f"version = 2\n{LOGIN}"),
        {"2.1.9": None, "2.3.4": "/images"},
    ),
    "an import over a table": (
        (f"version = 2\n{GRPC}", f"version = 2\n{LOGIN}"),
        {"1.7.24": None, "2.1.9": "/grpc", "2.3.4": "/grpc"},
    ),
}


@pytest.mark.parametrize(("texts", "wanted"), PATHS.values(), ids=PATHS)
def test_the_config_path_that_counts(texts: tuple[str, ...], wanted: dict[str, str | None]) -> None:
    found = {version: merged(version, *texts).registry.get("config_path") for version in wanted}

    assert found == wanted


def test_discarded_layers_need_a_runtime_to_be_migrated() -> None:
    setting = f'version = 2\n[plugins."{CRI_1}".containerd]\n  discard_unpacked_layers = true\n'
    runtime = f'[plugins."{CRI_1}".containerd.runtimes.runc]\n  runtime_type = "x"\n'

    assert "discard_unpacked_layers" not in merged("2.1.9", setting).images
    assert merged("2.1.9", setting + runtime).images["discard_unpacked_layers"] is True


def test_two_names_of_one_table_are_not_certain() -> None:
    for version, certain in (("1.7.24", True), ("2.1.9", True), ("2.3.4", False)):
        assert merged(version, OLD + GRPC).certain is certain
    assert merged("2.1.9", OLD + GRPC, "version = 2\n").certain is False


def test_tables_that_count_and_tables_that_another_replaces() -> None:
    data: dict[str, Any] = tomllib.loads(f"version = 2\n{IMG}{GRPC}")

    for version, names in (("1.7.24", (CRI_1,)), ("2.1.9", (CRI_1,)), ("2.3.4", (CRI_1,))):
        config = merge_files(release(version), [data])
        assert registry_plugins(release(version), config, data) == names


@pytest.mark.parametrize("value", [5, "x", [1], {"docker.io": 5}, {"docker.io": {"endpoint": 5}}])
@pytest.mark.parametrize("key", ["config_path", "mirrors", "configs", "auths", "headers"])
def test_a_registry_of_any_shape_is_merged(key: str, value: Any) -> None:
    for text in ("1.7.24", "2.1.9", "2.3.4"):
        data = {"version": 2, "plugins": {CRI_1: {"registry": {key: value}}, IMAGES: value}}
        assert merge_files(release(text), [data, data]).registry == {key: value}

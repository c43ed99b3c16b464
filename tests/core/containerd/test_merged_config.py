"""The merged config of each kind of release; tests/golden compares it with real daemons."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from fleet.core.containerd.config import CRI_1, IMAGES
from fleet.core.containerd.merged_config import MergedConfig, deep_merge, merge_files
from fleet.core.containerd.registry_table import registry_plugins, usual_plugins
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
    "the old id in version 4": ((f"version = 4\n{GRPC}",), {"2.3.4": None}),
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


BOTH, OLD_1 = (CRI_1, IMAGES), ("cri",)
READ: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "no version": (
        "",
        {"1.7.24": OLD_1, "2.1.9": (IMAGES,), "2.3.4": (IMAGES, "cri", CRI_1)},
    ),
    "no version, the old table": (
        OLD,
        {"1.7.24": OLD_1, "2.1.9": (IMAGES,), "2.3.4": ("cri", CRI_1)},
    ),
    "version 2": (
        "version = 2\n",
        {"1.7.24": (CRI_1,), "2.1.9": (IMAGES, CRI_1), "2.3.4": (IMAGES, CRI_1)},
    ),
    "version 2, both tables": (
        f"version = 2\n{IMG}{GRPC}",
        {"1.7.24": (CRI_1,), "2.1.9": (CRI_1,), "2.3.4": (CRI_1,)},
    ),
    "version 2, the new table": (
        f"version = 2\n{IMG}",
        {"1.7.24": (CRI_1,), "2.1.9": (IMAGES, CRI_1), "2.3.4": (IMAGES, CRI_1)},
    ),
    "version 3": ("version = 3\n", {"2.1.9": (IMAGES,), "2.3.4": (IMAGES, CRI_1)}),
    "version 3, the old table": (
        f"version = 3\n{GRPC}",
        {"2.1.9": (IMAGES,), "2.3.4": (CRI_1,)},
    ),
    "version 4": ("version = 4\n", {"2.3.4": (IMAGES,)}),
}


@pytest.mark.parametrize(("text", "names"), READ.values(), ids=list(READ))
def test_the_tables_that_a_release_reads_in_a_file(
    text: str, names: dict[str, tuple[str, ...]]
) -> None:
    data = tomllib.loads(text)
    read = {
        version: registry_plugins(release(version), merged(version, text), data)
        for version in names
    }

    assert read == names


USUAL: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "no version": ("", {"1.7.24": OLD_1, "2.1.9": (IMAGES,), "2.3.4": ("cri", IMAGES)}),
    "no version, the new name": (
        f'[plugins."{CRI_1}"]\n',
        {"1.7.24": OLD_1, "2.3.4": BOTH},
    ),
    "version 2": ("version = 2\n", {"1.7.24": (CRI_1,), "2.1.9": BOTH, "2.3.4": BOTH}),
    "version 3": ("version = 3\n", {"2.1.9": (IMAGES,), "2.3.4": (IMAGES, CRI_1)}),
    "version 4": ("version = 4\n", {"2.3.4": (IMAGES,)}),
}


@pytest.mark.parametrize(("text", "names"), USUAL.values(), ids=list(USUAL))
def test_the_tables_that_may_be_added_to_a_file(
    text: str, names: dict[str, tuple[str, ...]]
) -> None:
    data = tomllib.loads(text)
    usual = {
        version: usual_plugins(release(version), merged(version, text), data) for version in names
    }

    assert usual == names


@pytest.mark.parametrize(
    ("text", "names"), [(OLD, ("cri", IMAGES)), ("", BOTH)], ids=["the old table", "no table"]
)
def test_a_root_without_a_version_beside_an_import_of_version_2(
    text: str, names: tuple[str, ...]
) -> None:
    config = merged("2.1.9", text, "version = 2\n")

    assert usual_plugins(release("2.1.9"), config, tomllib.loads(text)) == names


VERSIONS: dict[str, tuple[tuple[str, ...], dict[str, int]]] = {
    "none": (("",), {"1.7.24": 1, "2.1.9": 3, "2.3.4": 0}),
    "one": (("version = 2\n",), {"1.7.24": 2, "2.1.9": 2, "2.3.4": 2}),
    "the last up to 2.2, the first on 2.3": (
        ("version = 3\n", "version = 2\n"),
        {"2.1.9": 2, "2.3.4": 3},
    ),
    "an import alone": (("", "version = 2\n"), {"1.7.24": 2, "2.1.9": 2, "2.3.4": 2}),
    "an import without one": (("version = 2\n", ""), {"1.7.24": 2, "2.1.9": 2, "2.3.4": 2}),
}


@pytest.mark.parametrize(("texts", "versions"), VERSIONS.values(), ids=list(VERSIONS))
def test_the_version_by_which_plugins_are_read(
    texts: tuple[str, ...], versions: dict[str, int]
) -> None:
    assert {version: merged(version, *texts).config_version for version in versions} == versions


def test_the_rest_is_all_plugins_without_their_registry() -> None:
    text = f'version = 2\n[plugins."{CRI_1}"]\nx = 1\n{GRPC}[plugins.other.registry]\ny = 2\n'

    for version in ("1.7.24", "2.1.9", "2.3.4"):
        assert merged(version, text).rest == {CRI_1: {"x": 1}, "other": {"registry": {"y": 2}}}


def test_an_import_replaces_a_plugin_on_1_x_and_is_merged_on_2_x() -> None:
    root = f'version = 2\n[plugins."{CRI_1}"]\nx = 1\n'
    imported = f'version = 2\n[plugins."{CRI_1}"]\ny = 2\n'

    assert merged("1.7.24", root, imported).rest == {CRI_1: {"y": 2}}
    assert merged("2.1.9", root, imported).rest == {CRI_1: {"x": 1, "y": 2}}
    assert merged("2.3.4", root, imported).rest == {CRI_1: {"x": 1, "y": 2}}


def test_tables_are_merged_and_lists_are_replaced() -> None:
    base = {"a": {"b": 1, "c": [1]}, "d": {"e": 1}, "f": 1}
    over = {"a": {"c": [2], "g": 3}, "d": 4, "f": {"h": 5}}

    assert deep_merge(base, over) == {"a": {"b": 1, "c": [2], "g": 3}, "d": 4, "f": {"h": 5}}


def test_a_merge_shares_nothing_with_what_is_merged() -> None:
    over = {"a": {"b": [1]}}

    deep_merge({}, over)["a"]["b"].append(2)

    assert over == {"a": {"b": [1]}}


@pytest.mark.parametrize("value", [5, "x", [1], {"docker.io": 5}, {"docker.io": {"endpoint": 5}}])
@pytest.mark.parametrize("key", ["config_path", "mirrors", "configs", "auths", "headers"])
def test_a_registry_of_any_shape_is_merged(key: str, value: Any) -> None:
    for text in ("1.7.24", "2.1.9", "2.3.4"):
        data = {"version": 2, "plugins": {CRI_1: {"registry": {key: value}}, IMAGES: value}}
        assert merge_files(release(text), [data, data]).registry == {key: value}

"""The table of releases and features: each boundary, and laws that every row keeps."""

from __future__ import annotations

import itertools

import pytest

from fleet.core.containerd.features import (
    NEWEST,
    OLDEST,
    Feature,
    first_release,
    max_config_version,
    supports,
)
from fleet.core.model.version import Release
from tests.support.build import release

ALL = (
    *("1.2.0", "1.3.0", "1.4.13", "1.5.0", "1.5.18", "1.6.0", "1.6.8", "1.6.9", "1.6.16"),
    *("1.6.17", "1.6.28", "1.6.29", "1.6.31", "1.6.32", "1.6.39", "1.7.0", "1.7.15", "1.7.16"),
    *("1.7.17", "1.7.31", "1.7.32", "2.0.0", "2.0.6", "2.0.7", "2.0.11", "2.1.0", "2.2.0"),
    *("2.2.1", "2.2.2", "2.3.0", "2.3.2", "2.3.3", "2.4.0", "9.0.0"),
)
"""Releases on both sides of every boundary, in order."""

HAVE: dict[Feature, tuple[tuple[str, str], ...]] = {
    Feature.CONFIG_VERSION_2: (("1.3.0", "9.0.0"),),
    Feature.CONFIG_VERSION_3: (("2.0.0", "9.0.0"),),
    Feature.CONFIG_VERSION_4: (("2.3.0", "9.0.0"),),
    Feature.STRICT_CONFIG_VERSION: (("1.6.32", "1.6.39"), ("1.7.17", "9.0.0")),
    Feature.VERSIONLESS_CRI: (("1.2.0", "1.7.32"), ("2.3.0", "9.0.0")),
    Feature.STRICT_PLUGIN_NAMES: (("1.3.0", "1.7.32"),),
    Feature.URI_IN_VERSIONLESS: (("2.3.0", "9.0.0"),),
    Feature.DOTTED_KEYS: (("1.5.0", "9.0.0"),),
    Feature.ANY_BYTES: (("1.2.0", "1.7.32"),),
    Feature.BYTE_ORDER_MARK: (("1.5.0", "1.7.32"),),
    Feature.KEYS_IN_ANY_CASE: (("2.0.0", "9.0.0"),),
    Feature.STRICT_URLS: (("2.3.0", "9.0.0"),),
    Feature.BRACKETS_IN_HEADERS: (("1.2.0", "1.4.13"), ("2.0.0", "9.0.0")),
    Feature.LEGACY_ALONE: (("1.2.0", "2.1.0"), ("2.2.2", "9.0.0")),
    Feature.LEGACY_TLS: (("1.3.0", "1.7.32"),),
    Feature.CONFIG_PATH: (("1.5.0", "9.0.0"),),
    Feature.CONFIG_PATH_LIST: (("1.5.0", "2.0.11"),),
    Feature.CONFIG_PATH_DEFAULT: (("2.2.0", "9.0.0"),),
    Feature.OVERRIDE_PATH: (("1.6.0", "9.0.0"),),
    Feature.DEFAULT_HOSTS: (("1.6.17", "9.0.0"),),
    Feature.DIAL_TIMEOUT: (("2.0.7", "9.0.0"),),
    Feature.DIAL_TIMEOUT_IS_TLS: (("2.0.7", "2.0.11"),),
    Feature.DOCKER_IO_PRESET: (("1.2.0", "1.4.13"),),
    Feature.HEAD_403_AGAIN: (("2.3.3", "9.0.0"),),
    Feature.RESPONSE_TIMEOUT: (("2.3.0", "9.0.0"),),
    Feature.REFERRERS: (("2.2.0", "9.0.0"),),
    Feature.SERVER_ALONE: (("1.7.32", "9.0.0"),),
    Feature.INLINE_HOSTS: (("1.5.0", "1.7.32"),),
    Feature.HTTP_WITH_TLS: (("1.2.0", "1.6.31"), ("1.7.0", "1.7.15")),
    Feature.LOOPBACK_HTTP: (("1.2.0", "1.4.13"), ("1.6.9", "9.0.0")),
    Feature.IMPORTS: (("1.3.0", "9.0.0"),),
    Feature.IMPORTS_MERGE: (("2.0.0", "9.0.0"),),
    Feature.MIGRATES_EACH_FILE: (("2.3.0", "9.0.0"),),
    Feature.IMPORT_MUST_EXIST: (("1.5.0", "9.0.0"),),
    Feature.RELATIVE_GLOBS: (("1.6.29", "1.6.39"), ("1.7.16", "9.0.0")),
    Feature.MIXED_IMPORT_VERSIONS: (("1.2.0", "1.7.32"),),
}
"""The first and the last of the releases above that have a feature, for each run of them."""


@pytest.mark.parametrize("feature", Feature, ids=lambda feature: feature.name)
def test_the_releases_that_have_a_feature(feature: Feature) -> None:
    runs = [ALL[ALL.index(first) : ALL.index(last) + 1] for first, last in HAVE[feature]]

    assert [text for text in ALL if supports(release(text), feature)] == [*itertools.chain(*runs)]


@pytest.mark.parametrize("feature", Feature, ids=lambda feature: feature.name)
def test_the_spans_of_a_row_are_in_order_and_apart(feature: Feature) -> None:
    edges = [edge for span in feature.value.spans for edge in span]

    assert edges == sorted(set(edges))


@pytest.mark.parametrize("feature", Feature, ids=lambda feature: feature.name)
def test_a_row_says_its_fact_and_its_source(feature: Feature) -> None:
    row = feature.value

    assert row.fact.strip() == row.fact != ""
    assert any(character.isdigit() for character in row.source), "a source names releases"


@pytest.mark.parametrize(
    ("packaged", "released"),
    [("1.7.24~ds1", "1.7.24"), ("2.0.7-rc.1", "2.0.7"), ("v2.3.0-k3s1", "2.3.0")],
)
def test_a_package_has_the_features_of_its_release(packaged: str, released: str) -> None:
    features = [feature for feature in Feature if supports(release(packaged), feature)]

    assert features == [feature for feature in Feature if supports(release(released), feature)]


def test_the_table_covers_1_2_to_2_3() -> None:
    boundaries: list[Release] = [span.since for row in Feature for span in row.value.spans]

    assert OLDEST == (1, 2, 0)
    assert NEWEST == (2, 3, 0)
    assert max(boundaries)[:2] == NEWEST[:2]


@pytest.mark.parametrize(
    ("version", "newest"),
    [("1.2.9", 1), ("1.3.0", 2), ("1.7.32", 2), ("2.0.0", 3), ("2.2.7", 3), ("2.3.0", 4)],
)
def test_the_newest_config_version_of_a_release(version: str, newest: int) -> None:
    assert max_config_version(release(version)) == newest


@pytest.mark.parametrize(
    ("feature", "text"),
    [
        (Feature.CONFIG_PATH, "1.5"),
        (Feature.DEFAULT_HOSTS, "1.6.17"),
        (Feature.DIAL_TIMEOUT, "2.0.7"),
        (Feature.REFERRERS, "2.2"),
        (Feature.CONFIG_VERSION_3, "2.0"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_the_first_release_of_a_feature_for_messages(feature: Feature, text: str) -> None:
    assert first_release(feature) == text

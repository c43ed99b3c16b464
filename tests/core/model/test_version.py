"""Every version line seen in the wild parses; capabilities follow the release."""

from __future__ import annotations

import pytest

from fleet.core.containerd.features import Feature, max_config_version, supports
from fleet.core.model.version import parse_version, parse_version_line

LINES = {
    "Debian 11": (
        "containerd github.com/containerd/containerd 1.4.13~ds1 1.4.13~ds1-1~deb11u4",
        (1, 4, 13),
    ),
    "Debian forky, no commit": (
        "containerd github.com/containerd/containerd/v2 2.1.9+unknown ",
        (2, 1, 9),
    ),
    "upstream": (f"containerd github.com/containerd/containerd v1.7.13 {'7' * 40}", (1, 7, 13)),
    "Docker's package": (
        "containerd containerd.io 1.7.27 05044ec0a9a75232cad458027ca83437",
        (1, 7, 27),
    ),
    "k3s": ("containerd github.com/k3s-io/containerd v2.1.5-k3s1 e77c15f3", (2, 1, 5)),
    "Ubuntu": ("containerd github.com/containerd/containerd 1.7.12-0ubuntu4", (1, 7, 12)),
    "RKE2": ("containerd github.com/k3s-io/containerd v1.7.22-k3s1 ", (1, 7, 22)),
    "EKS": (f"containerd github.com/containerd/containerd 1.7.27 {'0' * 40}", (1, 7, 27)),
    "Ubuntu, rebuilt": (
        "containerd github.com/containerd/containerd 1.6.12-0ubuntu1~22.04.1 ",
        (1, 6, 12),
    ),
    "a distribution's build": (
        "containerd github.com/containerd/containerd/v2 2.1.4-r1",
        (2, 1, 4),
    ),
    "a release candidate": (
        "containerd github.com/containerd/containerd/v2 v2.0.0-rc.3 abc",
        (2, 0, 0),
    ),
}


@pytest.mark.parametrize(("line", "release"), LINES.values(), ids=LINES)
def test_version_lines(line: str, release: tuple[int, int, int]) -> None:
    version = parse_version_line(line)

    assert version is not None
    assert version.release == release


@pytest.mark.parametrize("line", ["", "containerd", "runc version 1.1", "containerd x y z"])
def test_other_lines_are_no_version(line: str) -> None:
    assert parse_version_line(line) is None


FEATURES = {
    "1.2.6": "LEGACY_ALONE HTTP_WITH_TLS VERSIONLESS_CRI MIXED_IMPORT_VERSIONS",
    "1.4.13": "CONFIG_VERSION_2 LEGACY_TLS IMPORTS -CONFIG_PATH -OVERRIDE_PATH -IMPORT_MUST_EXIST",
    "1.5.18": "CONFIG_PATH CONFIG_PATH_LIST IMPORT_MUST_EXIST -OVERRIDE_PATH -DEFAULT_HOSTS",
    "1.6.16": "OVERRIDE_PATH INLINE_HOSTS -DEFAULT_HOSTS -SERVER_ALONE -STRICT_CONFIG_VERSION",
    "1.6.20": "DEFAULT_HOSTS HTTP_WITH_TLS -DIAL_TIMEOUT -RELATIVE_GLOBS",
    "1.6.39": "STRICT_CONFIG_VERSION RELATIVE_GLOBS -HTTP_WITH_TLS -SERVER_ALONE",
    "1.7.15": "HTTP_WITH_TLS -RELATIVE_GLOBS -STRICT_CONFIG_VERSION",
    "1.7.32": "SERVER_ALONE -HTTP_WITH_TLS LEGACY_TLS STRICT_CONFIG_VERSION",
    "2.0.6": "CONFIG_VERSION_3 IMPORTS_MERGE -DIAL_TIMEOUT -LEGACY_TLS -VERSIONLESS_CRI",
    "2.0.7": "DIAL_TIMEOUT DIAL_TIMEOUT_IS_TLS CONFIG_PATH_LIST SERVER_ALONE -INLINE_HOSTS",
    "2.1.9": "DIAL_TIMEOUT -DIAL_TIMEOUT_IS_TLS -CONFIG_PATH_LIST LEGACY_ALONE -REFERRERS",
    "2.2.1": "CONFIG_PATH_DEFAULT REFERRERS -LEGACY_ALONE -CONFIG_VERSION_4",
    "2.2.2": "LEGACY_ALONE CONFIG_PATH_DEFAULT",
    "2.3.4": "CONFIG_VERSION_4 VERSIONLESS_CRI URI_IN_VERSIONLESS -MIXED_IMPORT_VERSIONS",
}


@pytest.mark.parametrize(("text", "words"), FEATURES.items(), ids=FEATURES)
def test_features(text: str, words: str) -> None:
    version = parse_version(text)

    assert version is not None
    for word in words.split():
        assert supports(version, Feature[word.removeprefix("-")]) is not word.startswith("-"), word


def test_every_row_has_a_fact_a_source_and_spans_in_order() -> None:
    for feature in Feature:
        row = feature.value
        assert row.fact, feature
        assert row.source, feature
        edges = [edge for span in row.spans for edge in span]
        assert edges == sorted(edges), feature


def test_config_versions() -> None:
    newest = {"1.2.0": 1, "1.3.0": 2, "1.7.24": 2, "2.0.11": 3, "2.2.7": 3, "2.3.4": 4}

    for text, wanted in newest.items():
        version = parse_version(text)
        assert version is not None
        assert max_config_version(version) == wanted

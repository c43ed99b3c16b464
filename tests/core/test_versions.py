"""Every version line seen in the wild parses; capabilities follow the release."""

from __future__ import annotations

import pytest

from fleet.core.versions import capability, parse_version, parse_version_line

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


CAPABILITIES = {
    "1.4.13": {"config_path": False, "override_path": True, "images_table": False},
    "1.5.18": {"config_path": True, "override_path": False, "default_hosts": False},
    "1.6.20": {"default_hosts": True, "dial_timeout": False, "versionless_config": True},
    "1.6.16": {"default_hosts": False},
    "2.0.6": {"dial_timeout": False, "legacy_tls": False, "versionless_config": False},
    "2.0.7": {"dial_timeout": True, "max_config_version": 3},
    "2.3.0": {"versionless_config": True, "max_config_version": 4},
}


@pytest.mark.parametrize(("text", "wanted"), CAPABILITIES.items(), ids=CAPABILITIES)
def test_capabilities(text: str, wanted: dict[str, object]) -> None:
    version = parse_version(text)

    assert version is not None
    found = capability(version)._asdict()
    assert {key: found[key] for key in wanted} == wanted

"""containerd versions, and what each of them can read.

Every boundary was found on real daemons or in the sources of the release that is named.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_LINE = re.compile(
    r"^containerd\s+(?P<package>\S+)\s+v?(?P<version>\d+\.\d+\S*)(?:\s+(?P<revision>\S+))?\s*$"
)
_VERSION = re.compile(r"^v?(?P<major>\d+)\.(?P<minor>\d+)(?:\.(?P<patch>\d+))?(?P<rest>\S*)$")


class ContainerdVersion(NamedTuple):
    """A release of containerd; `text` is what the node said. A `-rc` counts as its release."""

    major: int
    minor: int
    patch: int
    text: str = ""

    def __str__(self) -> str:
        """Show what the node said, or the three numbers."""
        return self.text or f"{self.major}.{self.minor}.{self.patch}"

    @property
    def release(self) -> tuple[int, int, int]:
        """Return the three numbers alone, for comparisons."""
        return (self.major, self.minor, self.patch)


def parse_version(text: str) -> ContainerdVersion | None:
    """Read a version such as `1.6.20~ds1`, `v2.1.5-k3s1` or `2.1.9+unknown`; None if it is none."""
    match = _VERSION.match(text.strip())
    if match is None:
        return None
    major, minor, patch = (int(match[name] or 0) for name in ("major", "minor", "patch"))
    return ContainerdVersion(major, minor, patch, text.strip().removeprefix("v"))


def parse_version_line(line: str) -> ContainerdVersion | None:
    """Read what `containerd --version` prints; None if this is no such line."""
    match = _LINE.match(line.strip())
    return parse_version(match["version"]) if match else None


class Capability(NamedTuple):
    """What one release reads from config.toml and hosts.toml."""

    config_path: bool
    default_hosts: bool
    override_path: bool
    dial_timeout: bool
    legacy_tls: bool
    versionless_config: bool
    max_config_version: int
    images_table: bool


def capability(version: ContainerdVersion) -> Capability:
    """Return what `version` can do."""
    v = version.release
    return Capability(
        config_path=v >= (1, 5, 0),  # pkg/cri/config/config.go, v1.5.0
        default_hosts=v >= (1, 6, 17),  # remotes/docker/config/config_unix.go, v1.6.17
        override_path=v < (1, 5, 0) or v >= (1, 6, 0),  # legacy takes any path as it is
        # core/remotes/docker/config/hosts.go, v2.0.7 and v2.1.0
        dial_timeout=v >= (2, 1, 0) or (2, 0, 7) <= v < (2, 1, 0),
        legacy_tls=v < (2, 0, 0),  # configs.*.tls is ignored by 2.x
        versionless_config=v < (2, 0, 0) or v >= (2, 3, 0),  # 2.0-2.2 drop its CRI section
        max_config_version=_max_config_version(v),
        images_table=v >= (2, 0, 0),  # io.containerd.cri.v1.images, config version 3
    )


def _max_config_version(release: tuple[int, int, int]) -> int:
    """Return the newest config version that is read; older daemons take any for 2."""
    if release >= (2, 3, 0):
        return 4
    return 3 if release >= (2, 0, 0) else 2

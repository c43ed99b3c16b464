"""containerd's version strings in all forms that packages use."""

from __future__ import annotations

import re
from typing import NamedTuple

_LINE = re.compile(
    r"containerd\s+(?P<package>\S+)\s+v?(?P<version>[0-9]+\.[0-9]+\S*)(?:\s+(?P<revision>\S+))?"
)


_VERSION = re.compile(
    r"v?(?P<major>[0-9]{1,4})\.(?P<minor>[0-9]{1,4})(?:\.(?P<patch>[0-9]{1,9}))?(?P<rest>[!-~]{0,80})"
)


Release = tuple[int, int, int]


class ContainerdVersion(NamedTuple):
    """A release of containerd; `text` is the node's own string. A `-rc` counts as its release."""

    major: int
    minor: int
    patch: int
    text: str = ""

    def __str__(self) -> str:
        """Return the node's version string, or the three numbers."""
        return self.text or f"{self.major}.{self.minor}.{self.patch}"

    @property
    def release(self) -> Release:
        """Return only the three numbers, for comparisons."""
        return (self.major, self.minor, self.patch)


def parse_version(text: str) -> ContainerdVersion | None:
    """Read a version such as `1.6.20~ds1`, `v2.1.5-k3s1` or `2.1.9+unknown`; None if invalid."""
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        return None
    major, minor, patch = (int(match[name] or 0) for name in ("major", "minor", "patch"))
    return ContainerdVersion(major, minor, patch, text.strip().removeprefix("v"))


def parse_version_line(line: str) -> ContainerdVersion | None:
    """Parse a line of `containerd --version`; None if it is not one."""
    match = _LINE.fullmatch(line.strip())
    return parse_version(match["version"]) if match else None

"""The requests that containerd makes to a host, as its resolver builds them.

Facts from remotes/docker/config/hosts.go and resolver.go, tried on daemons 1.5 to 2.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from fleet.core.model.mirror import Mirror

_REFERENCE = re.compile(
    r"(?P<registry>[^/@]+)/(?P<repository>[a-z0-9._/-]+?)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>[a-z0-9]+:[0-9a-f]{32,}))?"
)


_HUB = ("docker.io", "registry-1.docker.io")


ACCEPT = ", ".join(
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "*/*",
    )
)
"""The Accept header of containerd when it resolves a name."""


@dataclass(frozen=True, slots=True)
class Image:
    """A reference to an image, in parts; `name` is its digest, or its tag if it has no digest."""

    registry: str
    repository: str
    name: str

    def __str__(self) -> str:
        """Return the whole reference."""
        mark = "@" if ":" in self.name else ":"
        return f"{self.registry}/{self.repository}{mark}{self.name}"


def parse_image(text: str) -> Image | None:
    """Parse a full reference such as docker.io/library/busybox:1.36; None if it is not one."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return None
    name = match["digest"] or match["tag"] or "latest"
    return Image(match["registry"], match["repository"], name)


def base_path(mirror: Mirror) -> str:
    """Return the path before the repository in every request to this host."""
    if mirror.override_path or mirror.path.endswith("/v2"):
        return mirror.path
    return f"{mirror.path}/v2"


def ping_path(mirror: Mirror) -> str:
    """Return the path of a registry's version check; with override_path it stays at `/v2/`."""
    return "/v2/" if mirror.override_path else f"{base_path(mirror)}/"


def pull_path(mirror: Mirror, image: Image, kind: str, name: str) -> str:
    """Return the path and query of a request for one of an image's `manifests` or `blobs`."""
    path = f"{base_path(mirror)}/{image.repository}/{kind}/{name}"
    return path + _namespace(mirror.authority, image.registry)


def _namespace(authority: str, registry: str) -> str:
    """Return the query that names the registry; empty if the host is the registry itself.

    Docker Hub has two names.
    """
    if authority == registry or (registry, authority) == _HUB:
        return ""
    return f"?ns={quote(registry, safe='')}"


def split_authority(authority: str, scheme: str) -> tuple[str, int]:
    """Split an authority into host and port; the default port is that of the scheme."""
    host, colon, port = authority.rpartition(":")
    if not colon or not port.isdigit():
        host, port = authority, "443" if scheme == "https" else "80"
    return host.strip("[]"), int(port)

"""Public registries, and the names that are probably misspelt ones of them."""

from __future__ import annotations

PUBLIC = (
    "docker.io",
    "quay.io",
    "ghcr.io",
    "gcr.io",
    "k8s.gcr.io",
    "registry.k8s.io",
    "mcr.microsoft.com",
    "nvcr.io",
    "docker.elastic.co",
    "registry.gitlab.com",
    "registry.redhat.io",
    "registry.access.redhat.com",
    "public.ecr.aws",
    "registry.suse.com",
    "registry.ollama.ai",
    "cgr.dev",
    "dhi.io",
    "lscr.io",
    "xpkg.upbound.io",
    "registry.jujucharms.com",
    "rocks.canonical.com",
)


_WRONG = {
    "docker.com": "docker.io",
    "hub.docker.com": "docker.io",
    "registry.docker.com": "docker.io",
    "registry.docker.io": "docker.io",
    "k8s.io": "registry.k8s.io",
    "quay.com": "quay.io",
    "github.com": "ghcr.io",
}
"""Web sites and the like that are taken for the registry."""


def doubt_about(name: str, key: str) -> str | None:
    """Return a warning about the name of a registry, which containerd looks up as `key`."""
    if key == "docker.io" != name:
        return f"write docker.io: containerd does not look up its other name {name}"
    meant = _probably_meant(name)
    return f"{name}: did you mean {meant}?" if meant else None


def _probably_meant(name: str) -> str | None:
    """Return the public registry that a name probably stands for; None if it is not misspelt."""
    if name in PUBLIC:
        return None
    near = (public for public in PUBLIC if _is_one_slip_away(name, public))
    return _WRONG.get(name) or next(near, None)


def _is_one_slip_away(name: str, other: str) -> bool:
    """Return whether one character is missing, added or changed, or two neighbours are swapped."""
    if abs(len(name) - len(other)) > 1:
        return False
    start = _common_start(name, other)
    rest, wanted = name[start:], other[start:]
    swapped = len(rest) > 1 and rest[1] + rest[0] + rest[2:] == wanted
    return swapped or wanted in {rest[1:], rest} or wanted[1:] in {rest, rest[1:]}


def _common_start(name: str, other: str) -> int:
    pairs = zip(name, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(name), len(other)))

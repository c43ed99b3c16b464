"""A node of the inventory, and the place of each of its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OWNERS = ("k3s", "rke2", "k0s", "microk8s", "canonical-k8s")
"""Kubernetes distributions that run their own containerd."""


PLAIN = ("containerd", "debian", "rhel", "eks", "flatcar", "cos")
"""Distributions whose containerd is an ordinary systemd unit."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The place that a value comes from; `place` is a group, a node or a key path.

    What comes from a cluster, and not from a file, has line 0.
    """

    file: str
    line: int
    column: int
    place: str

    def __str__(self) -> str:
        """Return it as editors write it, followed by the place."""
        at = f":{self.line}:{self.column}" if self.line else ""
        return f"{self.file}{at} ({self.place})"


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """The access to a node's cluster; None is what kubectl takes by default."""

    kubeconfig: str | None = None
    context: str | None = None

    def __str__(self) -> str:
        """Return the settings as they are written in the inventory."""
        parts = (("kubeconfig", self.kubeconfig), ("context", self.context))
        given = ", ".join(f"{key}: {value}" for key, value in parts if value is not None)
        return f"{{{given}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine with its resolved settings; None means that the inventory does not set one."""

    name: str
    host: str
    port: int | None = None
    user: str | None = None
    identity_file: str | None = None
    become: bool | None = None
    become_user: str | None = None
    jump: str | None = None
    site: str | None = None
    max_unavailable: str | None = None
    order: int = 0
    distro: str | None = None
    containerd_config: str | None = None
    containerd_socket: str | None = None
    containerd_service: str | None = None
    kubernetes: ClusterSettings | None = None
    kubernetes_node: str | None = None
    groups: tuple[str, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False, repr=False)

"""The one table of a node's keys in the inventory, and the foreign keys that are expected there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.config.inventory.values import (
    read_cluster,
    read_cluster_node,
    read_distro,
    read_file,
    read_host,
    read_order,
    read_path,
    read_port,
    read_site,
    read_size,
    read_unit,
    read_word,
)
from fleet.config.reader import Reader
from fleet.core.model.node import OWNERS, PLAIN
from fleet.core.text.yaml import Value

SECRETS = {
    "ansible_password",
    "ansible_ssh_pass",
    "ansible_ssh_password",
    "ansible_become_pass",
    "ansible_become_password",
    "ansible_sudo_pass",
    "password",
    "become_pass",
    "become_password",
    "sudo_password",
}


FOREIGN = {"users", "ports", "hosts", "sites", "jumps", "distros", "containerd_configs"}
"""Variables of other tools that resemble keys of ours; they are not reported as misspelt."""


_TEXT = {"type": "string"}


_FLAG = {"type": ["boolean", "string"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKey:
    """One key: its reader, its part of the JSON Schema, and its words in docs and output.

    `aliases` are Ansible's names of it, and our own older ones. `unset` is the meaning of a key
    that the inventory leaves out; it is empty if `fleet inventory` then shows nothing. Nodes may
    have a value from a group or a range if the key is `shared`; two groups that disagree are an
    error, unless the key limits each group as a whole (`limits_group`).
    """

    name: str
    read: Callable[[Reader, Value, str], Any]
    schema: Mapping[str, Any]
    meaning: str
    aliases: tuple[str, ...] = ()
    unset: str = ""
    shared: bool = True
    limits_group: bool = False


_TABLE = (
    NodeKey(
        name="host",
        read=read_host,
        schema=_TEXT,
        meaning="where to connect; default: the node's name",
        aliases=("address", "ansible_host", "ansible_ssh_host"),
        unset="the node's name",
        shared=False,
    ),
    NodeKey(
        name="port",
        read=read_port,
        schema={"type": "integer", "minimum": 1, "maximum": 65535},
        meaning="as in ssh_config; default: what ~/.ssh/config says, else 22",
        aliases=("ansible_port", "ansible_ssh_port"),
        unset="not set: as in ~/.ssh/config, else 22",
    ),
    NodeKey(
        name="user",
        read=read_word,
        schema=_TEXT,
        meaning="the login; default: what ~/.ssh/config says, else the user who runs fleet",
        aliases=("ansible_user", "ansible_ssh_user"),
        unset="not set: as in ~/.ssh/config, else the user who runs fleet",
    ),
    NodeKey(
        name="identity_file",
        read=read_file,
        schema=_TEXT,
        meaning="the private key; default: what ~/.ssh/config and the agent have",
        aliases=("ansible_ssh_private_key_file", "ansible_private_key_file"),
        unset="not set: the keys of ~/.ssh/config and the agent",
    ),
    NodeKey(
        name="become",
        read=Reader.boolean,
        schema=_FLAG,
        meaning="sudo; on unless the login is root",
        aliases=("ansible_become",),
        unset="not set: sudo unless the login is root",
    ),
    NodeKey(
        name="become_user",
        read=read_word,
        schema=_TEXT,
        meaning="the user that sudo becomes; default: root",
        aliases=("ansible_become_user",),
    ),
    NodeKey(
        name="jump",
        read=read_word,
        schema=_TEXT,
        meaning="the jump host, as `user@host:port`; several, joined by commas, are a chain",
        unset="not set: as in ~/.ssh/config (ProxyJump)",
    ),
    NodeKey(
        name="site",
        read=read_site,
        schema=_TEXT,
        meaning=(
            "the node's location; `fleet mirrors test` compares sites, and with Dask the workers of"
            " a site handle its nodes"
        ),
    ),
    NodeKey(
        name="max_unavailable",
        read=read_size,
        schema={"type": ["integer", "string"]},
        meaning=(
            "for a group: how many of its nodes may be in flight together, `1` or `25%`; for the"
            " control plane see below"
        ),
        limits_group=True,
    ),
    NodeKey(
        name="order",
        read=read_order,
        schema={"type": "integer"},
        meaning="lower numbers first; default: the order of the file",
    ),
    NodeKey(
        name="distro",
        read=read_distro,
        schema={"enum": [*OWNERS, *PLAIN]},
        meaning=(
            "what detection cannot see: `k3s`, `rke2`, `k0s`, `microk8s`, `canonical-k8s`, or"
            " `containerd` for plain containerd"
        ),
    ),
    NodeKey(
        name="containerd_config",
        read=read_path,
        schema=_TEXT,
        meaning="containerd's config file, where it is not the usual one",
    ),
    NodeKey(
        name="containerd_socket",
        read=read_path,
        schema=_TEXT,
        meaning="containerd's socket, where it is not the usual one",
    ),
    NodeKey(
        name="containerd_service",
        read=read_unit,
        schema=_TEXT,
        meaning="containerd's systemd unit, where it is not the usual one",
    ),
    NodeKey(
        name="kubernetes",
        read=read_cluster,
        schema={
            "type": ["object", "string"],
            "properties": {
                "kubeconfig": {**_TEXT, "description": "the file, relative to this one"},
                "context": {**_TEXT, "description": "the context in it"},
            },
            "additionalProperties": False,
        },
        meaning=(
            "the node's cluster: a mapping with `kubeconfig`, a file relative to this one, and"
            " `context`, or the context alone; both default to kubectl's own"
        ),
    ),
    NodeKey(
        name="kubernetes_node",
        read=read_cluster_node,
        schema=_TEXT,
        meaning="the node's name in its cluster; default: found by its address, then by its name",
        shared=False,
    ),
)


KEYS = {key.name: key for key in _TABLE}
"""All keys by name, in the order in which they are shown."""


ALIASES = {alias: key.name for key in _TABLE for alias in key.aliases}

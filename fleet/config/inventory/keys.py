"""The one table of a node's keys in the inventory, and the foreign keys that are expected there."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.config.reader import Reader
from fleet.core.model.node import OWNERS, PLAIN, ClusterSettings
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


_WORD = re.compile(r"[A-Za-z0-9_\[.:][A-Za-z0-9_.:@%,\[\]-]{0,512}")


_HOST = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(?:%[A-Za-z0-9_.-]+)?"
    r"|\[[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(?:%[A-Za-z0-9_.-]+)?\]"
)


_LONGEST_SITE = 64


_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uff01-\uff5e\uffa0"
    "\U000e0100-\U000e01ef]"
)
"""Fillers and selectors, which Unicode counts as letters and marks, and full-width letters."""


FOREIGN = {"users", "ports", "hosts", "sites", "jumps", "distros", "containerd_configs"}
"""Variables of other tools that resemble keys of ours; they are not reported as misspelt."""


_SIZE = re.compile(r"[1-9][0-9]{0,5}|(100|[1-9][0-9]?)%")


_PATH = re.compile(r"/[A-Za-z0-9_.:/@%+-]+")


_NODE_OBJECT = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


_UNIT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:-]*")


def _word(reader: Reader, value: Value, place: str) -> str | None:
    return _matching(reader, value, place, _WORD, "a plain word without spaces or shell characters")


def _distro(reader: Reader, value: Value, place: str) -> str | None:
    """Read the name of a distribution; with another name the node would be probed as plain."""
    text = reader.string(value, place)
    known = (*OWNERS, *PLAIN)
    if text is None or text in known:
        return text
    reader.error(value, place, f"expected one of {', '.join(known)}, got {text!r}")
    return None


def _site(reader: Reader, value: Value, place: str) -> str | None:
    """Read the name of a site, which may be in any script."""
    text = reader.string(value, place)
    if text is None:
        return None
    text = unicodedata.normalize("NFC", text)
    if _WORD.fullmatch(text) or _is_visible_word(text):
        return text
    message = f"expected letters, digits, '.', '-' and '_', in any script, got {text!r}"
    reader.error(value, place, message)
    return None


def _is_visible_word(text: str) -> bool:
    """Return whether a text has only letters, digits and marks that a terminal shows as such.

    Spaces, control characters, marks of direction and fillers would hide what a name is.
    """
    kinds = [unicodedata.category(character) for character in text]
    return (
        0 < len(text) <= _LONGEST_SITE
        and kinds[0][0] in "LN"
        and all(
            kind[0] in "LN" or kind in {"Mn", "Mc"} or c in "._-"
            for kind, c in zip(kinds, text, strict=True)
        )
        and _INVISIBLE.search(text) is None
    )


def _host(reader: Reader, value: Value, place: str) -> str | None:
    """Read a name or an address; an IPv6 literal may stand in brackets."""
    what = "a plain word without spaces or shell characters"
    text = _matching(reader, value, place, _HOST, what)
    return text.strip("[]") if text else text


def _matching(
    reader: Reader, value: Value, place: str, pattern: re.Pattern[str], what: str
) -> str | None:
    text = reader.string(value, place)
    if text is None or pattern.fullmatch(text):
        return text
    reader.error(value, place, f"expected {what}, got {text!r}")
    return None


def _port(reader: Reader, value: Value, place: str) -> int | None:
    return reader.integer(value, place, 1, 65535)


def _order(reader: Reader, value: Value, place: str) -> int | None:
    return reader.integer(value, place, -1_000_000, 1_000_000)


def _size(reader: Reader, value: Value, place: str) -> str | None:
    return _matching(reader, value, place, _SIZE, "a number or a percentage such as 1 or 25%")


def _path(reader: Reader, value: Value, place: str) -> str | None:
    return _matching(reader, value, place, _PATH, "an absolute path on the node")


def _unit(reader: Reader, value: Value, place: str) -> str | None:
    return _matching(reader, value, place, _UNIT, "the name of a systemd unit")


def _file(reader: Reader, value: Value, place: str) -> str | None:
    text = reader.string(value, place)
    if text is not None and not text.isprintable():
        reader.error(value, place, "expected text without control characters")
        return None
    return text


def _cluster(reader: Reader, value: Value, place: str) -> ClusterSettings | None:
    """Read the access to a cluster; a relative kubeconfig is found beside the inventory.

    Text is the name of a context, for INI, which has no mappings.
    """
    if isinstance(value.data, str):
        context = _file(reader, value, place)
        return ClusterSettings(context=context) if context else None
    problems = len(reader.problems)
    entries = reader.mapping(value, place)
    reader.known_keys(entries, place, ("kubeconfig", "context"))
    texts = {
        key: _file(reader, entries[key].value, f"{place}.{key}")
        for key in ("kubeconfig", "context")
        if key in entries and entries[key].value.data is not None
    }
    if len(reader.problems) > problems:
        return None
    kubeconfig = texts.get("kubeconfig")
    if kubeconfig and not kubeconfig.startswith("~"):
        kubeconfig = str(Path(reader.file).parent / kubeconfig)
    return ClusterSettings(kubeconfig, texts.get("context"))


def _cluster_node_name(reader: Reader, value: Value, place: str) -> str | None:
    return _matching(reader, value, place, _NODE_OBJECT, "the name of a Node of the cluster")


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
        read=_host,
        schema=_TEXT,
        meaning="where to connect; default: the node's name",
        aliases=("address", "ansible_host", "ansible_ssh_host"),
        unset="the node's name",
        shared=False,
    ),
    NodeKey(
        name="port",
        read=_port,
        schema={"type": "integer", "minimum": 1, "maximum": 65535},
        meaning="as in ssh_config; default: what ~/.ssh/config says, else 22",
        aliases=("ansible_port", "ansible_ssh_port"),
        unset="not set: as in ~/.ssh/config, else 22",
    ),
    NodeKey(
        name="user",
        read=_word,
        schema=_TEXT,
        meaning="the login; default: what ~/.ssh/config says, else the user who runs fleet",
        aliases=("ansible_user", "ansible_ssh_user"),
        unset="not set: as in ~/.ssh/config, else the user who runs fleet",
    ),
    NodeKey(
        name="identity_file",
        read=_file,
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
        read=_word,
        schema=_TEXT,
        meaning="the user that sudo becomes; default: root",
        aliases=("ansible_become_user",),
    ),
    NodeKey(
        name="jump",
        read=_word,
        schema=_TEXT,
        meaning="the jump host, as `user@host:port`; several, joined by commas, are a chain",
        unset="not set: as in ~/.ssh/config (ProxyJump)",
    ),
    NodeKey(
        name="site",
        read=_site,
        schema=_TEXT,
        meaning=(
            "the node's location; `fleet mirrors test` compares sites, and with Dask the workers of"
            " a site handle its nodes"
        ),
    ),
    NodeKey(
        name="max_unavailable",
        read=_size,
        schema={"type": ["integer", "string"]},
        meaning=(
            "for a group: how many of its nodes may be in flight together, `1` or `25%`; for the"
            " control plane see below"
        ),
        limits_group=True,
    ),
    NodeKey(
        name="order",
        read=_order,
        schema={"type": "integer"},
        meaning="lower numbers first; default: the order of the file",
    ),
    NodeKey(
        name="distro",
        read=_distro,
        schema={"enum": [*OWNERS, *PLAIN]},
        meaning=(
            "what detection cannot see: `k3s`, `rke2`, `k0s`, `microk8s`, `canonical-k8s`, or"
            " `containerd` for plain containerd"
        ),
    ),
    NodeKey(
        name="containerd_config",
        read=_path,
        schema=_TEXT,
        meaning="containerd's config file, where it is not the usual one",
    ),
    NodeKey(
        name="containerd_socket",
        read=_path,
        schema=_TEXT,
        meaning="containerd's socket, where it is not the usual one",
    ),
    NodeKey(
        name="containerd_service",
        read=_unit,
        schema=_TEXT,
        meaning="containerd's systemd unit, where it is not the usual one",
    ),
    NodeKey(
        name="kubernetes",
        read=_cluster,
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
        read=_cluster_node_name,
        schema=_TEXT,
        meaning="the node's name in its cluster; default: found by its address, then by its name",
        shared=False,
    ),
)


KEYS = {key.name: key for key in _TABLE}
"""All keys by name, in the order in which they are shown."""


ALIASES = {alias: key.name for key in _TABLE for alias in key.aliases}

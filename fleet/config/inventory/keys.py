"""The keys of a node in the inventory: their readers, their aliases, and foreign keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fleet.config.reader import Reader
from fleet.core.text.yaml import Value

ALIASES = {
    "address": "host",
    "ansible_host": "host",
    "ansible_ssh_host": "host",
    "ansible_port": "port",
    "ansible_ssh_port": "port",
    "ansible_user": "user",
    "ansible_ssh_user": "user",
    "ansible_ssh_private_key_file": "identity_file",
    "ansible_private_key_file": "identity_file",
    "ansible_become": "become",
    "ansible_become_user": "become_user",
}


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


FOREIGN = {"users", "ports", "hosts", "sites", "jumps", "distros", "containerd_configs"}
"""Variables of other tools that resemble keys of ours; they are not reported as misspelt."""


_SIZE = re.compile(r"[1-9][0-9]{0,5}|(100|[1-9][0-9]?)%")


_PATH = re.compile(r"/[A-Za-z0-9_.:/@%+-]+")


_UNIT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:-]*")


def _word(reader: Reader, value: Value, place: str) -> str | None:
    return _matching(reader, value, place, _WORD, "a plain word without spaces or shell characters")


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
        reader.error(value, place, "expected a path without control characters")
        return None
    return text


KEYS: dict[str, Callable[[Reader, Value, str], Any]] = {
    "host": _host,
    "port": _port,
    "user": _word,
    "identity_file": _file,
    "become": Reader.boolean,
    "become_user": _word,
    "jump": _word,
    "site": _word,
    "max_unavailable": _size,
    "order": _order,
    "distro": _word,
    "containerd_config": _path,
    "containerd_socket": _path,
    "containerd_service": _unit,
}

"""A failure message as the reference shows it."""

from __future__ import annotations

from typing import NamedTuple

UNKNOWN = "…"
"""Stands for a part that differs each time."""


class Message(NamedTuple):
    """A failure's kind, its message and its remedy, with placeholders in capitals."""

    kind: str
    text: str
    remedy: str


def placeholder(name: str) -> str:
    """Return the placeholder for a variable, such as PATH; a private name gets a plain one."""
    name = name.strip("_").upper()
    return _PLAIN.get(name, name)


_PLAIN = {
    "CONTAINERD": "VERSION",
    "DAMAGE": "FILE",
    "DIRECTORY": "FOLDER",
    "ERROR": "REASON",
    "HOSTS_DIRECTORY": "FOLDER",
    "KEPT": "FOLDER",
    "KILL_MODE": "VALUE",
    "LABEL": "KEY",
    "LIMIT": "SECONDS",
    "LINKS": "NUMBER",
    "LIVENESS": "FOLDER",
    "LOAD": "STATE",
    "NOTE": "",
    "ONLY": "ROLLOUT",
    "OWNER": "DISTRIBUTION",
    "PENDING": "ROLLOUT",
    "PROBLEM": "REASON",
    "SHOWN": "FILE",
    "SIZE": "NUMBER",
    "SKIPPED_FILES": "NUMBER",
    "SPEC": "HOST",
    "STAGE": "FOLDER",
    "START": "NUMBER",
    "STRANGE": "PATH",
    "STRERROR": "REASON",
    "TARGET": "FILE",
    "TEXT": "REASON",
    "UNHEALTHY": "REASON",
    "UNIT_NAME": "UNIT",
    "WHAT": "SETTING",
    "WHEN": "…",
}
"""Placeholders for variables whose own names say little to a reader."""

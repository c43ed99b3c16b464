"""Readers of the values of a node's keys; each records a mistake and returns None for it."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from fleet.config.reader import Reader
from fleet.core.model.node import OWNERS, PLAIN, ClusterSettings
from fleet.core.text.yaml import Value

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


_SIZE = re.compile(r"[1-9][0-9]{0,5}|(100|[1-9][0-9]?)%")


_PATH = re.compile(r"/[A-Za-z0-9_.:/@%+-]+")


_NODE_OBJECT = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


_UNIT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:-]*")


def read_word(reader: Reader, value: Value, place: str) -> str | None:
    """Read a word that is safe as an argument of ssh."""
    return _matching(reader, value, place, _WORD, "a plain word without spaces or shell characters")


def read_distro(reader: Reader, value: Value, place: str) -> str | None:
    """Read the name of a distribution; with another name the node would be probed as plain."""
    text = reader.string(value, place)
    known = (*OWNERS, *PLAIN)
    if text is None or text in known:
        return text
    reader.error(value, place, f"expected one of {', '.join(known)}, got {text!r}")
    return None


def read_site(reader: Reader, value: Value, place: str) -> str | None:
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


def read_host(reader: Reader, value: Value, place: str) -> str | None:
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


def read_port(reader: Reader, value: Value, place: str) -> int | None:
    """Read a TCP port."""
    return reader.integer(value, place, 1, 65535)


def read_order(reader: Reader, value: Value, place: str) -> int | None:
    """Read a rank."""
    return reader.integer(value, place, -1_000_000, 1_000_000)


def read_size(reader: Reader, value: Value, place: str) -> str | None:
    """Read a number or a percentage of nodes."""
    return _matching(reader, value, place, _SIZE, "a number or a percentage such as 1 or 25%")


def read_path(reader: Reader, value: Value, place: str) -> str | None:
    """Read a path on the node."""
    return _matching(reader, value, place, _PATH, "an absolute path on the node")


def read_unit(reader: Reader, value: Value, place: str) -> str | None:
    """Read the name of a systemd unit."""
    return _matching(reader, value, place, _UNIT, "the name of a systemd unit")


def read_file(reader: Reader, value: Value, place: str) -> str | None:
    """Read a path on this machine."""
    text = reader.string(value, place)
    if text is not None and not text.isprintable():
        reader.error(value, place, "expected text without control characters")
        return None
    return text


def read_cluster(reader: Reader, value: Value, place: str) -> ClusterSettings | None:
    """Read the access to a cluster; a relative kubeconfig is found beside the inventory.

    Text is the name of a context, for INI, which has no mappings.
    """
    if isinstance(value.data, str):
        context = read_file(reader, value, place)
        return ClusterSettings(context=context) if context else None
    problems = len(reader.problems)
    entries = reader.mapping(value, place)
    reader.known_keys(entries, place, ("kubeconfig", "context"))
    texts = {
        key: read_file(reader, entries[key].value, f"{place}.{key}")
        for key in ("kubeconfig", "context")
        if key in entries and entries[key].value.data is not None
    }
    if len(reader.problems) > problems:
        return None
    kubeconfig = texts.get("kubeconfig")
    if kubeconfig and not kubeconfig.startswith("~"):
        kubeconfig = str(Path(reader.file).parent / kubeconfig)
    return ClusterSettings(kubeconfig, texts.get("context"))


def read_cluster_node(reader: Reader, value: Value, place: str) -> str | None:
    """Read the name of a Node object."""
    return _matching(reader, value, place, _NODE_OBJECT, "the name of a Node of the cluster")

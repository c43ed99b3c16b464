"""A parser of hosts.toml that follows each release: bytes, case of keys, and the order of hosts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.core.containerd.features import Feature, supports
from fleet.core.model.version import ContainerdVersion
from fleet.core.text.documents import DocumentError, parse_toml, table
from fleet.core.text.toml_scan import statements

_KEYS = frozenset(
    (
        *("server", "capabilities", "ca", "client", "skip_verify", "override_path"),
        *("dial_timeout", "header"),
    )
)


_MARK = "\ufeff"


_BYTES = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True, slots=True)
class HostsDocument:
    """A parsed hosts.toml: its known keys are in lower case.

    `order` holds the hosts in the order of requests. Since 2.0 a host whose tables are apart is
    tried twice, and a host without a table header is not tried.
    """

    text: str
    data: Mapping[str, Any]
    order: tuple[str, ...]


def decode_hosts(content: bytes) -> str:
    """Return the text of a hosts.toml; bytes that are not UTF-8 become surrogates."""
    return content.decode("utf-8", "surrogateescape")


def parse_hosts(text: str, version: ContainerdVersion) -> HostsDocument:
    """Parse a hosts.toml; raise a DocumentError if this release cannot parse it."""
    if text.startswith(_MARK):
        if not supports(version, Feature.BYTE_ORDER_MARK):
            message = f"it begins with a byte-order mark, which containerd {version} refuses"
            raise DocumentError(message)
        text = text[1:]
    if _BYTES.search(text):
        if not supports(version, Feature.ANY_BYTES):
            message = f"it contains bytes that are not UTF-8, which containerd {version} refuses"
            raise DocumentError(message)
        text = _BYTES.sub("\ufffd", text)
    data = dict(_lower_known_keys(parse_toml(text), version))
    hosts = data.get("host")
    if isinstance(hosts, Mapping):
        data["host"] = {
            url: dict(_lower_known_keys(host, version)) if isinstance(host, Mapping) else host
            for url, host in hosts.items()
        }
    return HostsDocument(text, data, tuple(_order(text, data, version)))


def _lower_known_keys(
    entries: Mapping[str, Any], version: ContainerdVersion
) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a table; known keys that the release reads are in lower case."""
    any_case = supports(version, Feature.KEYS_IN_ANY_CASE)
    for key, value in entries.items():
        lower = key.lower()
        read = any_case or (key == key.upper() and lower not in entries)
        yield (lower if lower in _KEYS and read else key), value


def _order(text: str, data: Mapping[str, Any], version: ContainerdVersion) -> Iterator[str]:
    if supports(version, Feature.INLINE_HOSTS):
        yield from table(data, "host")
        return
    last: str | None = None
    for statement in statements(text):
        if (
            statement.header
            and len(statement.path) > 1
            and statement.path[0] == "host"
            and statement.path[1] != last
        ):
            last = statement.path[1]
            yield last

"""The rules by which Go uses a proxy of the daemon's environment for a URL."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

_LONGEST = 1 << 16


_USER = re.compile(r"//[^/@]*@")


def proxy_for(url: str, environment: Mapping[str, str]) -> str | None:
    """Return the proxy that a daemon with this environment uses for `url`, or None.

    The rules are those of net/http's ProxyFromEnvironment. Loopback is never proxied. NO_PROXY
    lists hosts, domains with their subdomains, addresses and networks. A login in the proxy's URL
    is left out.
    """
    parts = urlsplit(url)
    name = f"{parts.scheme}_proxy"
    proxy = environment.get(name.upper()) or environment.get(name)
    excluded = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    host = parts.hostname or ""
    if not proxy or _is_loopback(host):
        return None
    port = str(parts.port or (443 if parts.scheme == "https" else 80))
    if any(_covers(entry.strip().lower(), host, port) for entry in excluded[:_LONGEST].split(",")):
        return None
    return _USER.sub("//", proxy)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _covers(pattern: str, host: str, port: str) -> bool:
    """Return whether an entry of NO_PROXY covers a host."""
    if pattern in {"", "*"}:
        return pattern == "*"
    address = _address(host)
    if address is not None and "/" in pattern:
        try:
            return address in ipaddress.ip_network(pattern, strict=False)
        except ValueError:
            return False
    name, colon, entry_port = pattern.rpartition(":")
    if colon and entry_port.isdigit() and _address(pattern) is None:
        if entry_port != port:
            return False
        pattern = name
    bare = pattern.removeprefix("*").removeprefix(".")
    return host == pattern or host.endswith(f".{bare}") or (pattern[0] not in ".*" and host == bare)

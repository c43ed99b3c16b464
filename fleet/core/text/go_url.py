"""URLs as Go's net/url parses them for containerd: the ones it refuses, and the host it finds."""

from __future__ import annotations

import re

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


_PORT = re.compile(r"(?::[0-9]*)?")


_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


_ASCII_ESCAPE = re.compile(r"%[0-7][0-9A-Fa-f]")


_USER = re.compile(r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*")


_HOST = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:\[\]<>\"%-]|[^\x00-\x7f])*")


def whole_url(url: str) -> str:
    """Return a host or server of hosts.toml as containerd completes it: https:// unless http."""
    return url if url.startswith("http") else f"https://{url}"


def go_host(url: str, *, strict: bool = True) -> str | None:
    """Return the host that containerd takes from a host or server of hosts.toml.

    None if Go refuses the URL; containerd then ignores the whole file. An empty text if the URL is
    valid and has no host. Without `strict` a host name may contain colons, as up to Go 1.25.
    """
    whole = whole_url(url)
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in whole):
        return None
    whole, _, fragment = whole.partition("#")
    if _ESCAPE.search(fragment):
        return None
    scheme = _SCHEME.match(whole)
    rest = (whole[scheme.end() :] if scheme else whole).partition("?")[0]
    if not rest.startswith("/"):
        opaque = scheme is not None or ":" not in rest.partition("/")[0]
        return "" if opaque else None
    authority, path = "", rest
    if rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        path = slash + path
    return None if _ESCAPE.search(path) else _host_of(authority, strict=strict)


def _host_of(authority: str, *, strict: bool) -> str | None:
    user, _, host = authority.rpartition("@")
    if not _USER.fullmatch(user) or _ESCAPE.search(user):
        return None
    if host.startswith("["):
        inside, mark, port = host.rpartition("]")
        address, _, zone = inside.partition("%25")
        valid = mark and _PORT.fullmatch(port) and "%" not in address and not _ESCAPE.search(zone)
        return host if valid else None
    name, colon, port = host.rpartition(":")
    if colon and (not _PORT.fullmatch(f":{port}") or (strict and ":" in name)):
        return None
    if not _HOST.fullmatch(host) or _ESCAPE.search(host) or _ASCII_ESCAPE.search(host):
        return None
    return host

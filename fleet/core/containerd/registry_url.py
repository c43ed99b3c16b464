"""Registry names and mirror URLs, checked because they become folders and TOML keys."""

from __future__ import annotations

import ipaddress
import re

_LABEL = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"


_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:]+)(?::(?P<port>[1-9][0-9]{0,4}))?")


_PATH = re.compile(r"(?:/[A-Za-z0-9._~%@+-]+)*/?")


HUB = "https://registry-1.docker.io"


_HUB_NAMES = {"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}


_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def folder_name(registry: str) -> str:
    """Return the name under which containerd looks up a registry; Docker Hub's names share one."""
    if registry == "*":
        return "_default"
    return "docker.io" if registry in _HUB_NAMES else registry


def registry_problem(name: str) -> str | None:
    """Return why a text is not a registry name; None if it is one."""
    if name in {"_default", "*"}:
        return None
    if name != name.lower():
        return f"registry names are lower case: {name.lower()!r}"
    if len(name) > 250 or not _is_authority(name):
        return (
            f"{name!r} is not a registry: expected HOST or HOST:PORT, such as docker.io or"
            " registry.example:5000, or _default"
        )
    return None


def _is_authority(text: str) -> bool:
    match = _AUTHORITY.fullmatch(text)
    if match is None or (match["port"] is not None and not 1 <= int(match["port"]) <= 65535):
        return False
    host = match["host"]
    if host.startswith("["):
        return _is_ipv6(host[1:-1])
    return len(host) <= 250 and ".." not in host and _NAME.fullmatch(host) is not None


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def url_problem(url: str) -> str | None:
    """Return why a text is not a mirror URL; None if it is one."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        return _without_scheme(url)
    if scheme not in {"http", "https"}:
        return f"{url!r}: expected http:// or https://"
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        return "a URL must not contain a password: put user and password under configs.HOST.auth"
    if not authority.isascii() or not _is_authority(authority.lower()):
        return f"{url!r}: {authority!r} is not HOST or HOST:PORT"
    if not _PATH.fullmatch(slash + path) or "/.." in slash + path:
        return f"{url!r}: the path has invalid characters or a query"
    return None


def _without_scheme(url: str) -> str:
    """Return the message for a URL without `://`; it proposes what was probably meant."""
    near = re.match(r"h?t?tps?(?::/?|/+)(?=[A-Za-z0-9\[])", url)
    if near is not None:
        scheme = "https" if "s" in near[0] else "http"
        return f"{url!r}: did you mean {scheme}://{url[near.end() :]}?"
    return f"{url!r} has no scheme: write https://{url} or http://{url}"


def with_scheme(address: str) -> str:
    """Return an address as a URL, by the rules of k3s: a port of this machine is plain HTTP."""
    if "://" in address:
        return address
    host, colon, port = address.partition("/")[0].rpartition(":")
    plain = colon and port not in {"", "443"} and _is_loopback(host)
    return f"{'http' if plain else 'https'}://{address}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def normal_url(url: str) -> str:
    """Return a URL in its normal form: lower-case host, no default port, no slash at its end."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    host = authority.lower().removesuffix(_DEFAULT_PORTS[scheme])
    return f"{scheme}://{host}{slash}{path}".rstrip("/")


def path_of(url: str) -> str:
    """Return the path of a normal URL; `/v2`, which every registry has, counts as empty."""
    _, slash, path = url.partition("://")[2].partition("/")
    return "" if path in {"", "v2"} else slash + path


def without_v2(url: str) -> str:
    """Return a URL without a path of only `/v2`, which containerd adds by itself."""
    return url if path_of(url) else url.removesuffix("/v2")


def default_server(registry: str) -> str | None:
    """Return the URL of a registry itself; None for the wildcard, which has no single server."""
    if registry == "_default":
        return None
    return HUB if registry == "docker.io" else f"https://{registry}"


def is_upstream(url: str, registry: str) -> bool:
    """Return whether a URL is the registry itself and not a mirror of it."""
    scheme, _, rest = url.partition("://")
    if path_of(url):
        return False
    host = rest.partition("/")[0]
    if registry == "docker.io":
        return host in _HUB_NAMES
    return scheme == "https" and host in {registry, registry.removesuffix(":443")}


def is_hub_site(url: str) -> bool:
    """Return whether a URL is the web site of docker.io, which serves no images."""
    return normal_url(url).partition("://")[2] in {"docker.io", "index.docker.io/v1"}

"""Defects of hosts.toml files that fleet did not write, by the rules of one containerd release.

A hosts.toml that does not decode is ignored completely, without a message. Pulls then go upstream
and succeed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.core.containerd.durations import nanoseconds
from fleet.core.containerd.features import Feature, supports
from fleet.core.containerd.hosts_document import HostsDocument, parse_hosts
from fleet.core.model.finding import Finding, FindingEffect
from fleet.core.model.version import ContainerdVersion
from fleet.core.text.documents import DocumentError, table, word
from fleet.core.text.go_url import go_host
from fleet.core.text.toml_scan import statements

_WORDS = {"pull", "resolve", "push", "referrers"}


_TLS = ("ca", "client", "skip_verify")


_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


@dataclass(frozen=True, slots=True)
class HostsReading:
    """A hosts.toml as one release reads it: its data, and the parts that are refused or misread.

    `data` is None if the whole file is ignored. `text` is the text that was parsed. `order` holds
    the hosts in the order in which they are asked.
    """

    data: Mapping[str, Any] | None
    defects: tuple[tuple[str, str], ...]
    text: str = ""
    order: tuple[str, ...] = ()


def hosts_findings(
    path: str, text: str, version: ContainerdVersion, effect: FindingEffect
) -> Iterator[Finding]:
    """Yield a finding for each part of a hosts.toml that this release would refuse or misread."""
    for code, message in read_hosts(text, version).defects:
        yield Finding(code, effect, _place(path, message), message)


@functools.lru_cache(maxsize=64)
def read_hosts(text: str, version: ContainerdVersion) -> HostsReading:
    """Read a hosts.toml; the result is cached for all nodes and checks that share it."""
    try:
        document = parse_hosts(text, version)
    except DocumentError as error:
        code = "duplicate-host" if "twice" in str(error) or "overwrite" in str(error) else ""
        message = f"is ignored as a whole, so pulls go upstream: {error}"
        return HostsReading(None, ((code or "hosts-refused", message),))
    defects = (*_header_defects(document.text, version), *_defects(document, version))
    ignored = any(code == "hosts-refused" for code, _ in defects)
    return HostsReading(None if ignored else document.data, defects, document.text, document.order)


def _header_defects(text: str, version: ContainerdVersion) -> Iterator[tuple[str, str]]:
    headers = (statement.path for statement in statements(text) if statement.header)
    if not supports(version, Feature.BRACKETS_IN_HEADERS) and any(
        "]" in "".join(path) for path in headers
    ):
        message = f"containerd {version} ignores the whole file because of a ] in a table's name"
        yield "hosts-refused", message


def _place(path: str, message: str) -> str:
    line = re.search(r"at line (\d+)", message)
    return f"{path}:{line[1]}" if line else path


def _defects(document: HostsDocument, version: ContainerdVersion) -> Iterator[tuple[str, str]]:
    data = document.data
    hosts = data.get("host")
    yield from _server_defects(data, version)
    if data.get("server") and "host" not in data and not supports(version, Feature.SERVER_ALONE):
        yield "hosts-refused", f"has no [host] table, so containerd {version} ignores the file"
    if hosts is not None and not isinstance(hosts, Mapping):
        yield "hosts-refused", "host is not a table, so the whole file is ignored"
        return
    yield from _order_defects(document, version)
    yield from _host_defects("the file itself", data, version)
    seen: dict[str, str] = {}
    for url, host in table(hosts).items():
        if not isinstance(host, Mapping):
            yield "hosts-refused", f"host {url} is not a table, so the whole file is ignored"
            continue
        if "server" in host:
            yield "hosts-misread", f"server is set below [host.{url}], where it has no effect"
        yield from _host_defects(url, host, version)
        yield from _url_defects(url, version)
        first = seen.setdefault(_normalize(url), url)
        if first != url:
            yield "duplicate-host", f"{first} and {url} are the same host, which is tried twice"
        yield from _scheme_defects(url, host, version)
    if word(data, "server") in {"https://docker.io", "https://docker.io/"}:
        yield "hosts-misread", "server https://docker.io serves none of Docker Hub's images"


def _order_defects(
    document: HostsDocument, version: ContainerdVersion
) -> Iterator[tuple[str, str]]:
    """Yield the hosts that are not asked, and those that are asked more than once."""
    for url in table(document.data, "host"):
        times = document.order.count(url)
        if times == 0:
            message = f'{url} is never tried: containerd {version} reads only [host."URL"] headers'
            yield "hosts-misread", message
        elif times > 1:
            message = f"{url} is tried {times} times: other hosts' tables are between its own"
            yield "duplicate-host", message


def _server_defects(
    data: Mapping[str, Any], version: ContainerdVersion
) -> Iterator[tuple[str, str]]:
    server = data.get("server", "")
    if not isinstance(server, str):
        yield (
            "hosts-refused",
            "server is not a URL but a table or a number, so the whole file is ignored",
        )
    elif server and (host := _host(server, version)) is None:
        yield "hosts-refused", f"server {server!r} is not a URL, so the whole file is ignored"
    elif server and not host:
        message = f"server {server!r} has no host name, so the registry itself is tried instead"
        yield "hosts-misread", message
    elif server and _has_other_scheme(server):
        message = f"server {server!r} is neither http:// nor https://, so requests to it fail"
        yield "hosts-misread", message
    elif server:
        yield from _scheme_defects(server, data, version)


def _host(url: str, version: ContainerdVersion) -> str | None:
    return go_host(url, strict=supports(version, Feature.STRICT_URLS))


def _has_other_scheme(url: str) -> bool:
    return "://" in url and not url.startswith(("http://", "https://"))


def _url_defects(url: str, version: ContainerdVersion) -> Iterator[tuple[str, str]]:
    host = _host(url, version) if url else ""
    if host is None:
        yield "hosts-refused", f"host {url!r} is not a URL, so the whole file is ignored"
    elif not host:
        yield "hosts-misread", f"host {url!r} has no host name, so requests to it fail"
    elif _has_other_scheme(url):
        message = f"host {url!r} is neither http:// nor https://, so requests to it fail"
        yield "hosts-misread", message


def _scheme_defects(
    url: str, host: Mapping[str, Any], version: ContainerdVersion
) -> Iterator[tuple[str, str]]:
    """Yield the settings that make containerd ask an http host over https first."""
    if not url.startswith("http://"):
        return
    if any(key in host for key in _TLS) and not supports(version, Feature.HTTP_WITH_TLS):
        yield "hosts-misread", f"{url} has TLS keys, so https is tried first"
    elif host.get("dial_timeout") and supports(version, Feature.DIAL_TIMEOUT_IS_TLS):
        yield "hosts-misread", f"{url} has a dial_timeout, so https is tried first"


def _normalize(url: str) -> str:
    whole = url if "://" in url else f"https://{url}"
    return whole.rstrip("/").removesuffix("/v2").lower()


def _host_defects(
    name: str, host: Mapping[str, Any], version: ContainerdVersion
) -> Iterator[tuple[str, str]]:
    capabilities = host.get("capabilities", [])
    if not isinstance(capabilities, list) or not all(
        isinstance(capability, str) for capability in capabilities
    ):
        yield "hosts-refused", f"{name}: capabilities is not a list of strings"
        capabilities = []
    for capability in capabilities:
        known = capability.lower() in _WORDS
        if not known or (
            capability.lower() == "referrers" and not supports(version, Feature.REFERRERS)
        ):
            yield (
                "hosts-refused",
                f"{name}: containerd {version} does not know the capability {capability!r}",
            )
    overrides = supports(version, Feature.OVERRIDE_PATH)
    for key in ("skip_verify", "override_path") if overrides else ("skip_verify",):
        if key in host and not isinstance(host[key], bool):
            yield "hosts-refused", f"{name}: {key} is not true or false"
    if host.get("override_path") and not overrides:
        yield "hosts-misread", f"{name}: containerd {version} does not support override_path"
    yield from _timeout_defects(name, host.get("dial_timeout"), version)
    if not _header_fits(host.get("header", {})):
        yield "hosts-refused", f"{name}: header is not a table of strings and lists of strings"
    elif not all(_may_be_sent(*item) for item in host.get("header", {}).items()):
        message = f"{name}: a header has an invalid character, so requests to it fail"
        yield "hosts-misread", message
    if not _certificates_fit(host.get("ca"), host.get("client")):
        yield "hosts-refused", f"{name}: ca or client has a type that is not supported"


def _timeout_defects(
    name: str, timeout: Any, version: ContainerdVersion
) -> Iterator[tuple[str, str]]:
    if timeout is None or timeout == "" or not supports(version, Feature.DIAL_TIMEOUT):
        return
    length = nanoseconds(timeout) if isinstance(timeout, str) else None
    if length is None:
        yield "hosts-refused", f"{name}: dial_timeout {timeout!r} is not a duration"
    elif length < 0:
        yield "hosts-misread", f"{name}: dial_timeout {timeout} is negative, so connections fail"


def _may_be_sent(header: str, value: Any) -> bool:
    values = [value] if isinstance(value, str) else value
    return bool(_HEADER_NAME.fullmatch(header)) and all(map(_HEADER_VALUE.fullmatch, values))


def _header_fits(header: Any) -> bool:
    return isinstance(header, Mapping) and all(
        isinstance(value, str)
        or (isinstance(value, list) and all(isinstance(item, str) for item in value))
        for value in header.values()
    )


def _certificates_fit(ca: Any, client: Any) -> bool:
    simple = all(
        value is None
        or isinstance(value, str)
        or (isinstance(value, list) and all(isinstance(item, (str, list)) for item in value))
        for value in (ca, client)
    )
    pairs = [item for item in client if isinstance(item, list)] if isinstance(client, list) else []
    flat = not (isinstance(ca, list) and any(isinstance(item, list) for item in ca))
    return (
        simple
        and flat
        and all(len(pair) == 2 and all(isinstance(item, str) for item in pair) for pair in pairs)
    )

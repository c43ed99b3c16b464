"""A writer of hosts.toml and its certificates, in the form that a node's version can read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from fleet.core.containerd.features import Feature, first_release, supports
from fleet.core.containerd.managed_header import HEADER
from fleet.core.failure import OVERRIDE_REMEDY, FailureKind, NodeError, Step
from fleet.core.model.change import ManagedFile
from fleet.core.model.mirror import Mirror, Registry
from fleet.core.model.secret import Secret
from fleet.core.model.version import ContainerdVersion
from fleet.core.text.toml_scan import quoted, toml_value


@dataclass(frozen=True, slots=True)
class _Folder:
    """The folder of one registry on one node, and the version that will read it."""

    path: str
    version: ContainerdVersion


def hosts_files(
    registry: Registry, folder: str, version: ContainerdVersion, header: str = HEADER
) -> Iterator[tuple[str, ManagedFile]]:
    """Yield hosts.toml and its certificates; raise a NodeError if the version lacks a feature."""
    _refuse_unreadable(registry, version)
    place = _Folder(folder, version)
    secret = any(mirror.header for mirror in registry.hosts)
    text = header + "".join(_document(registry, place))
    yield f"{folder}/hosts.toml", _file(text.encode(), secret=secret)
    for mirror in registry.hosts:
        for path, content, private in _certificates(mirror, place):
            yield path, _file(content, secret=private)


def ctr_hosts(registry: Registry, folder: str, version: ContainerdVersion) -> bytes:
    """Return a hosts.toml for ctr only, with the settings that its release reads; never raise.

    It is for nodes whose daemon has its mirrors from elsewhere, so it affects only ctr's pulls.
    """
    known = supports(version, Feature.REFERRERS)
    mirrors = (
        replace(
            mirror,
            capabilities=tuple(
                name for name in mirror.capabilities if known or name != "referrers"
            ),
        )
        for mirror in registry.mirrors
    )
    readable = replace(registry, mirrors=tuple(mirrors))
    return (HEADER + "".join(_document(readable, _Folder(folder, version)))).encode()


def _file(content: bytes, *, secret: bool) -> ManagedFile:
    return ManagedFile(content, 0o600 if secret else 0o644, secret=secret)


def _refuse_unreadable(registry: Registry, version: ContainerdVersion) -> None:
    """Raise a NodeError for settings that this version ignores or that break its parser."""
    capabilities = {word for mirror in registry.mirrors for word in mirror.capabilities}
    needed = {
        Feature.DEFAULT_HOSTS: registry.name == "_default",
        Feature.OVERRIDE_PATH: any(mirror.override_path for mirror in registry.mirrors),
        Feature.REFERRERS: "referrers" in capabilities,
        Feature.SERVER_ALONE: registry.name == "_default" and not registry.mirrors,
    }
    names = {
        Feature.DEFAULT_HOSTS: "_default",
        Feature.OVERRIDE_PATH: f"override_path, which {registry.name} uses",
        Feature.REFERRERS: f"the capability referrers, which {registry.name} uses",
        Feature.SERVER_ALONE: 'TLS settings for all registries (configs "*")',
    }
    by_name = "name each registry in mirrors.yaml instead"
    alternatives = {Feature.DEFAULT_HOSTS: by_name, Feature.SERVER_ALONE: by_name}
    for feature, is_needed in needed.items():
        if is_needed and not supports(version, feature):
            since = first_release(feature)
            message = f"containerd {version} does not support {names[feature]} ({since} does)"
            raise _refused(message, alternatives.get(feature, OVERRIDE_REMEDY))
    if registry.rewrite:
        message = f"{registry.name}: only the containerd of k3s and RKE2 supports rewrite"
        raise _refused(message, "use a path with override_path on other nodes")


def _refused(message: str, remedy: str) -> NodeError:
    return NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)


def _document(registry: Registry, place: _Folder) -> Iterator[str]:
    """Yield the root keys, which must stand before any table, then a table for every host."""
    if not registry.fallback:
        # With the last mirror as the server, upstream is never tried. This works in every version.
        last = registry.mirrors[-1]
        yield _assign("server", last.url)
        yield from (_assign(*pair) for pair in _keys(last, place))
        yield from _header("header", last)
    else:
        if registry.server is not None:
            yield _assign("server", registry.server)
        if registry.upstream is not None:
            yield from (_assign(*pair) for pair in _tls_keys(registry.upstream, place))
    hosts = _hosts(registry)
    bracketed = any("]" in mirror.url for mirror in hosts)
    if bracketed and not supports(place.version, Feature.BRACKETS_IN_HEADERS):
        yield "\n[host]\n"
        for mirror in hosts:
            yield from _dotted_host(mirror, place)
        return
    for mirror in hosts:
        table = f"host.{quoted(mirror.url)}"
        yield f"\n[{table}]\n"
        yield from ("  " + _assign(*pair) for pair in _keys(mirror, place))
        yield from _header(f"{table}.header", mirror)


def _hosts(registry: Registry) -> tuple[Mirror, ...]:
    """Return the hosts that get a table, in order.

    Releases up to 1.7.31 refuse a file without such a table. A single mirror without a fallback is
    therefore written twice, and so is the server of a registry without mirrors.
    """
    if not registry.mirrors and registry.server is not None:
        return (replace(registry.upstream or Mirror(url=registry.server), url=registry.server),)
    return registry.mirrors if registry.fallback else registry.mirrors[:-1] or registry.mirrors


def _dotted_host(mirror: Mirror, place: _Folder) -> Iterator[str]:
    """Write a host as dotted keys, for parsers that refuse its URL as a table's name.

    Inline tables would be read too, but the daemons of 1.6 try such hosts in no fixed order.
    """
    url = quoted(mirror.url)
    for key, value in _keys(mirror, place):
        yield f"  {url}.{_assign(key, value)}"
    for name, values in mirror.header:
        yield f"  {url}.header.{quoted(name)} = {_texts(values)}\n"


def _texts(values: tuple[Secret, ...]) -> str:
    return f"[{', '.join(quoted(str(value)) for value in values)}]"


_Value = str | bool | list[str] | list[list[str]]


def _keys(mirror: Mirror, place: _Folder) -> Iterator[tuple[str, _Value]]:
    yield "capabilities", list(mirror.capabilities)
    if mirror.override_path:
        yield "override_path", True
    yield from _tls_keys(mirror, place)
    if mirror.dial_timeout and _can_use_dial_timeout(mirror, place.version):
        yield "dial_timeout", mirror.dial_timeout


def _tls_keys(mirror: Mirror, place: _Folder) -> Iterator[tuple[str, _Value]]:
    if mirror.skip_verify:
        yield "skip_verify", True
    uploaded = [path for path, _, _ in _certificates(mirror, place) if path.endswith(".ca.pem")]
    if uploaded or mirror.ca_paths:
        yield "ca", [*uploaded, *mirror.ca_paths]
    pairs = [*_client_pairs(mirror, place), *(list(pair) for pair in mirror.client_paths)]
    if pairs:
        yield "client", pairs


def _can_use_dial_timeout(mirror: Mirror, version: ContainerdVersion) -> bool:
    """Return whether dial_timeout is read and has no other effect."""
    harmful = mirror.scheme == "http" and supports(version, Feature.DIAL_TIMEOUT_IS_TLS)
    return supports(version, Feature.DIAL_TIMEOUT) and not harmful


def certificate_stem(mirror: Mirror) -> str:
    """Return the beginning of the names of a mirror's certificate files."""
    return mirror.authority.replace(":", "_").replace("[", "").replace("]", "")


def _certificates(mirror: Mirror, place: _Folder) -> Iterator[tuple[str, bytes, bool]]:
    """Yield the path and content of each file of the mirror's TLS, and whether it is private."""
    stem = f"{place.path}/{certificate_stem(mirror)}"
    for number, content in enumerate(mirror.ca):
        yield f"{stem}.{number}.ca.pem", content, False
    for number, pair in enumerate(mirror.client):
        yield f"{stem}.{number}.client.pem", pair.certificate, pair.key is None
        if pair.key is not None:
            yield f"{stem}.{number}.client.key.pem", pair.key, True


def _client_pairs(mirror: Mirror, place: _Folder) -> Iterator[list[str]]:
    stem = f"{place.path}/{certificate_stem(mirror)}"
    for number, pair in enumerate(mirror.client):
        key = [] if pair.key is None else [f"{stem}.{number}.client.key.pem"]
        yield [f"{stem}.{number}.client.pem", *key]


def _header(table: str, mirror: Mirror) -> Iterator[str]:
    """Yield the header table, which must directly follow its host's table."""
    if mirror.header:
        yield f"  [{table}]\n"
        for name, values in mirror.header:
            yield f"    {quoted(name)} = {_texts(values)}\n"


def _assign(key: str, value: _Value) -> str:
    return f"{key} = {toml_value(value)}\n"

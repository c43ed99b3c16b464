"""hosts.toml and the certificates beside it, in what the node's own version can read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.core.model import ManagedFile, Mirror, Registry
from fleet.core.outcome import FailureKind, NodeError
from fleet.core.versions import ContainerdVersion, capability

HEADER = "# Managed by fleet: change mirrors.yaml instead.\n"


@dataclass(frozen=True, slots=True)
class _Folder:
    """The folder of one registry on one node, and the version that will read it."""

    path: str
    version: ContainerdVersion


def hosts_files(
    registry: Registry, folder: str, version: ContainerdVersion
) -> Iterator[tuple[str, ManagedFile]]:
    """Yield hosts.toml and its certificates; raise a NodeError where the version cannot do it."""
    _refuse_unreadable(registry, version)
    place = _Folder(folder, version)
    secret = any(mirror.header for mirror in registry.mirrors)
    text = HEADER + "".join(_document(registry, place))
    yield f"{folder}/hosts.toml", _file(text.encode(), secret=secret)
    for mirror in registry.mirrors:
        for path, content, private in _certificates(mirror, place):
            yield path, _file(content, secret=private)


def _file(content: bytes, *, secret: bool) -> ManagedFile:
    return ManagedFile(content, 0o600 if secret else 0o644, secret=secret)


def _refuse_unreadable(registry: Registry, version: ContainerdVersion) -> None:
    """Refuse what this version would ignore in silence."""
    can = capability(version)
    if registry.name == "_default" and not can.default_hosts:
        raise _refused(version, "does not know _default (1.6.17 does): name each registry instead")
    if any(mirror.override_path for mirror in registry.mirrors) and not can.override_path:
        raise _refused(version, f"does not know override_path, which {registry.name} needs")


def _refused(version: ContainerdVersion, why: str) -> NodeError:
    return NodeError(FailureKind.UNSUPPORTED, "plan", f"containerd {version} {why}")


def _document(registry: Registry, place: _Folder) -> Iterator[str]:
    """Yield the root keys, which must stand before any table, then a table for every host."""
    last = registry.mirrors[-1]
    if not registry.fallback:
        # The last mirror is the server, so that upstream is never asked: works in every version.
        yield _assign("server", last.url)
        yield from (_assign(*pair) for pair in _keys(last, place))
        yield from _header("header", last)
    elif registry.server is not None:
        yield _assign("server", registry.server)
    # A file without a host table is refused up to 1.7.31, so a single mirror stands twice.
    hosts = registry.mirrors if registry.fallback else registry.mirrors[:-1] or registry.mirrors
    for mirror in hosts:
        table = f"host.{quoted(mirror.url)}"
        yield f"\n[{table}]\n"
        yield from ("  " + _assign(*pair) for pair in _keys(mirror, place))
        yield from _header(f"{table}.header", mirror)


_Value = str | bool | list[str] | list[list[str]]


def _keys(mirror: Mirror, place: _Folder) -> Iterator[tuple[str, _Value]]:
    yield "capabilities", list(mirror.capabilities)
    if mirror.override_path:
        yield "override_path", True
    if mirror.skip_verify:
        yield "skip_verify", True
    if mirror.ca:
        yield (
            "ca",
            [path for path, _, _ in _certificates(mirror, place) if path.endswith(".ca.pem")],
        )
    if mirror.client:
        yield "client", list(_client_pairs(mirror, place))
    if mirror.dial_timeout and _may_time_dials(mirror, place.version):
        yield "dial_timeout", mirror.dial_timeout


def _may_time_dials(mirror: Mirror, version: ContainerdVersion) -> bool:
    """Say whether dial_timeout is read; on 2.0.x it makes http hosts try https first."""
    plain_before_2_1 = mirror.scheme == "http" and version.release < (2, 1, 0)
    return capability(version).dial_timeout and not plain_before_2_1


def _stem(mirror: Mirror, place: _Folder) -> str:
    return f"{place.path}/{mirror.authority.replace(':', '_').strip('[]')}"


def _certificates(mirror: Mirror, place: _Folder) -> Iterator[tuple[str, bytes, bool]]:
    """Yield path, content and whether it is private, of all that the mirror's TLS needs."""
    stem = _stem(mirror, place)
    for number, content in enumerate(mirror.ca):
        yield f"{stem}.{number}.ca.pem", content, False
    for number, pair in enumerate(mirror.client):
        yield f"{stem}.{number}.client.pem", pair.certificate, pair.key is None
        if pair.key is not None:
            yield f"{stem}.{number}.client.key.pem", pair.key, True


def _client_pairs(mirror: Mirror, place: _Folder) -> Iterator[list[str]]:
    stem = _stem(mirror, place)
    for number, pair in enumerate(mirror.client):
        key = [] if pair.key is None else [f"{stem}.{number}.client.key.pem"]
        yield [f"{stem}.{number}.client.pem", *key]


def _header(table: str, mirror: Mirror) -> Iterator[str]:
    """Yield the header table, which must follow its own host at once."""
    if mirror.header:
        yield f"  [{table}]\n"
        for name, values in mirror.header:
            yield f"    {quoted(name)} = [{', '.join(quoted(str(each)) for each in values)}]\n"


def _assign(key: str, value: _Value) -> str:
    return f"{key} = {toml_value(value)}\n"


def toml_value(value: _Value) -> str:
    """Write a value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    return f"[{', '.join(toml_value(each) for each in value)}]"


def quoted(text: str) -> str:
    """Write a TOML basic string."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(_escaped(character) for character in plain) + '"'


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) < 32 or ord(character) == 127 else character

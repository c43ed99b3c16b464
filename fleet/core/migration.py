"""From legacy registry settings, as they stand in config.toml, to registries for certs.d.

What legacy did with each form of endpoint was seen on running daemons; where certs.d has no word
for it, the setting stays in config.toml if it may, or the node is refused with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fleet.core.documents import word, words
from fleet.core.model import Mirror, Registry
from fleet.core.outcome import FailureKind, NodeError
from fleet.core.urls import HUB, default_server, normal_url, path_of, registry_problem, url_problem

_LOOPBACK = ("localhost", "127.", "[::1]")


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS settings of one host as legacy has them: paths on the node."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    skip_verify: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the files that must be on the node."""
        return tuple(each for each in (self.ca, self.cert, self.key) if each)


@dataclass(frozen=True, slots=True)
class Migration:
    """What legacy settings come to: registries, TLS by host, and what is worth telling."""

    registries: tuple[Registry, ...]
    tls: Mapping[str, Tls]
    notes: tuple[str, ...]

    def dressed(self, registry: Registry) -> Registry:
        """Give a registry's mirrors the TLS that legacy had for their hosts, unless they have it.

        A mirror that relied on it would else fail, and pulls go upstream in silence.
        """
        return replace(registry, mirrors=tuple(self._dressed(each) for each in registry.mirrors))

    def _dressed(self, mirror: Mirror) -> Mirror:
        tls = self.tls.get(mirror.authority)
        has = mirror.ca or mirror.client or mirror.skip_verify
        if tls is None or has or mirror.scheme == "http":
            return mirror
        return _with_tls(mirror, tls)


def has_legacy(registry: Mapping[str, Any]) -> bool:
    """Say whether a registry table has what kills CRI beside config_path, or is lost there."""
    return bool(_table(registry, "mirrors")) or bool(_hosts_with_tls(registry))


def migrate(registry: Mapping[str, Any], place: str) -> Migration:
    """Translate a merged legacy registry table; `place` names it in messages."""
    notes: list[str] = []
    tls = {host: _tls(host, each, place) for host, each in _hosts_with_tls(registry).items()}
    mirrors = _table(registry, "mirrors")
    found = []
    for name, entry in mirrors.items():
        key = "_default" if name == "*" else name
        problem = None if key == "_default" else registry_problem(name)
        if problem:
            raise _refused(f"{place}: mirrors: {problem}; mend it by hand")
        urls = [_Endpoint(each, key, place) for each in words(entry, "endpoint")]
        notes += [note for url in urls for note in url.notes]
        one = _registry(key, urls, tls, wildcard="*" in mirrors)
        found += [one] if one else []
        if isinstance(entry, Mapping) and entry.get("rewrite"):
            raise _refused(
                f"{place}: mirrors.{name}.rewrite: only k3s's containerd knows it; take it out"
            )
    mirrored = {mirror.authority for each in found for mirror in each.mirrors}
    for host, each in tls.items():
        if host not in mirrored:
            found.append(_own_tls(host, each))
            notes.append(f"configs.{host}.tls becomes the hosts.toml of {host} itself")
    return Migration(tuple(found), tls, tuple(dict.fromkeys(notes)))


def _table(registry: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = registry.get(key)
    return found if isinstance(found, Mapping) else {}


def _hosts_with_tls(registry: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    configs = _table(registry, "configs").items()
    tables = ((host, each.get("tls")) for host, each in configs if isinstance(each, Mapping))
    return {host: tls for host, tls in tables if isinstance(tls, Mapping) and tls}


def legacy_paths(registry: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield what goes when config_path comes: the mirrors, and every tls table."""
    if "mirrors" in registry:
        yield ("mirrors",)
    for host, each in _table(registry, "configs").items():
        if isinstance(each, Mapping) and "tls" in each:
            alone = set(each) == {"tls"}
            yield ("configs", host) if alone else ("configs", host, "tls")


class _Endpoint:
    """One endpoint as legacy took it."""

    def __init__(self, text: str, registry: str, place: str) -> None:
        self.notes: list[str] = []
        url = text if "://" in text else f"{_scheme(text)}://{text}"
        problem = url_problem(url)
        if problem:
            raise _refused(f"{place}: mirrors.{registry}: {problem}; mend it by hand")
        if url.endswith("/") and not path_of(normal_url(url)):
            self.notes.append(
                f"{text} ends in a slash, so legacy asked it without /v2; hosts.toml does not"
            )
        self.url = normal_url(url)
        if self.url == "https://docker.io" and registry == "docker.io":
            self.url = HUB
            self.notes.append("https://docker.io serves no images; taken for Docker Hub's registry")
        if not path_of(self.url):
            self.url = self.url.removesuffix("/v2")


def _scheme(text: str) -> str:
    return "http" if text.startswith(_LOOPBACK) else "https"


def _registry(
    name: str, endpoints: list[_Endpoint], tls: Mapping[str, Tls], *, wildcard: bool
) -> Registry | None:
    """Return the registry; None where legacy had no endpoint, which without "*" says nothing."""
    server = default_server(name)
    urls = list(dict.fromkeys(each.url for each in endpoints))
    if urls and urls[-1] == server and len(urls) > 1:
        urls.pop()  # upstream comes last by itself
    if not urls:
        if not wildcard or server is None:
            return None
        urls = [server]  # an empty list kept the registry out of the wildcard
    mirrors = (Mirror(url=url, override_path=bool(path_of(url))) for url in urls)
    dressed = (
        _with_tls(each, tls[each.authority])
        if each.authority in tls and each.scheme == "https"
        else each
        for each in mirrors
    )
    return Registry(name=name, server=server, mirrors=tuple(dressed))


def _own_tls(host: str, tls: Tls) -> Registry:
    """Return a registry that is its own mirror, which every release can read."""
    url = f"https://{host}"
    name = "docker.io" if url == HUB else host
    problem = registry_problem(name)
    if problem:
        raise _refused(f"configs: {problem}; mend it by hand")
    return Registry(name=name, server=url, mirrors=(_with_tls(Mirror(url=url), tls),))


def _with_tls(mirror: Mirror, tls: Tls) -> Mirror:
    pair = ((tls.cert, tls.key),) if tls.cert and tls.key else ()
    return replace(
        mirror,
        ca_paths=(tls.ca,) if tls.ca else (),
        client_paths=pair,
        skip_verify=tls.skip_verify,
    )


def _tls(host: str, table: Mapping[str, Any], place: str) -> Tls:
    paths = {}
    for key in ("ca_file", "cert_file", "key_file"):
        text = word(table, key)
        if not text.isprintable():
            what = f"configs.{host}.tls.{key} holds control characters"
            raise _refused(f"{place}: {what}; mend it by hand")
        # A daemon under systemd runs in /, which is what a relative path starts at.
        paths[key] = ("" if not text or text.startswith("/") else "/") + text or None
    if bool(paths["cert_file"]) != bool(paths["key_file"]):
        raise _refused(f"{place}: configs.{host}.tls has one of cert_file and key_file; give both")
    skip = table.get("insecure_skip_verify") is True
    return Tls(paths["ca_file"], paths["cert_file"], paths["key_file"], skip)


def _refused(message: str) -> NodeError:
    return NodeError(FailureKind.UNSUPPORTED, "plan", message)

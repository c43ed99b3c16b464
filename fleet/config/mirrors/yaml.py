"""Reader of mirrors.yaml; registries.yaml of k3s and RKE2 has the same shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleet.config.mirrors.endpoint import HostReader
from fleet.config.mirrors.host_configs import HostConfigs
from fleet.config.mirrors.known_registries import doubt_about
from fleet.config.reader import Reader
from fleet.core.containerd.registry_url import (
    default_server,
    folder_name,
    is_hub_site,
    is_upstream,
    normal_url,
    registry_problem,
    url_problem,
    without_v2,
)
from fleet.core.model.inventory import Inventory
from fleet.core.model.mirror import Mirror, MirrorConfig, Override, Registry
from fleet.core.selection.patterns import override_matches
from fleet.core.text.yaml import MappingEntry, Value
from fleet.errors import FleetError

_KEYS = ("version", "defaults", "mirrors", "configs", "overrides")


_REGISTRY_KEYS = (
    "endpoints",
    "endpoint",
    "server",
    "fallback",
    "verify",
    "capabilities",
    "rewrite",
)


_DEFAULT_KEYS = ("capabilities", "fallback", "dial_timeout")


_REFERENCE = re.compile(
    r"[a-z0-9.\[\]:_-]+(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?"
    r"(?:@sha256:[0-9a-f]{64})?"
)


@dataclass(frozen=True, slots=True)
class _Defaults:
    """Defaults for registries and endpoints."""

    mirror: Mirror = field(default_factory=lambda: Mirror(url=""))
    fallback: bool = True


class MirrorsReader:
    """Reads one mirrors.yaml; all its mistakes are in `reader`."""

    def __init__(self, file: str, folder: Path) -> None:
        self.reader = Reader(file)
        self.matches: list[Value] = []
        self._hosts = HostReader(self.reader, folder)
        self._configs = HostConfigs(self.reader, self._hosts)

    def read(self, root: Value) -> MirrorConfig:
        """Return the registries; they are whole only if the reader has no problems."""
        body = self.reader.mapping(root, "")
        self.reader.known_keys(body, "", _KEYS)
        if "version" in body:
            self._refuse_version(body["version"].value)
        defaults = self._defaults(body)
        if "configs" in body:
            self._configs.read(body["configs"].value)
        registries: dict[str, Registry] = {}
        if "mirrors" in body:
            registries = self._registries(body["mirrors"].value, "mirrors", defaults, {})
        if not registries and not self.reader.problems:
            self.reader.error(root, "", "the file has no registries: write them under mirrors")
        overrides = self._overrides(body, defaults, registries)
        self._configs.warn_unused()
        return MirrorConfig(tuple(registries.values()), overrides)

    def _refuse_version(self, value: Value) -> None:
        if value.data != 1 or isinstance(value.data, bool):
            self.reader.error(
                value, "version", f"only 1 is supported, got {value.text or value.kind}"
            )

    def _defaults(self, body: Mapping[str, MappingEntry]) -> _Defaults:
        defaults = _Defaults()
        if "defaults" not in body:
            return defaults
        entries = self.reader.mapping(body["defaults"].value, "defaults")
        self.reader.known_keys(entries, "defaults", _DEFAULT_KEYS)
        mirror = defaults.mirror
        if "capabilities" in entries:
            value = entries["capabilities"].value
            words = self._hosts.capabilities(value, "defaults.capabilities")
            mirror = replace(mirror, capabilities=words)
        if "dial_timeout" in entries:
            value = entries["dial_timeout"].value
            mirror = replace(
                mirror, dial_timeout=self._hosts.duration(value, "defaults.dial_timeout")
            )
        fallback = self._fallback(entries, "defaults", default=True)
        return _Defaults(mirror, fallback)

    def _fallback(self, entries: Mapping[str, MappingEntry], place: str, *, default: bool) -> bool:
        if "fallback" not in entries:
            return default
        word = self.reader.choice(
            entries["fallback"].value, f"{place}.fallback", ("allow", "never")
        )
        return word != "never"

    # -- registries --------------------------------------------------------------------------

    def _registries(
        self, value: Value, place: str, defaults: _Defaults, base: Mapping[str, Registry]
    ) -> dict[str, Registry]:
        registries: dict[str, Registry] = {}
        for name, entry in self.reader.mapping(value, place).items():
            problem = registry_problem(name)
            if problem is not None:
                self.reader.error(entry.key, place, problem)
                continue
            key = folder_name(name)
            if key in registries:
                self.reader.error(
                    entry.key, place, f"{name} is another name of {key}, which is listed already"
                )
            elif (doubt := doubt_about(name, key)) is not None:
                self.reader.warn(entry.key, place, doubt)
            registry = self._registry(key, entry, f"{place}.{name}", defaults, base.get(key))
            if registry is not None:
                registries[key] = registry
        return registries

    def _registry(
        self, name: str, entry: MappingEntry, place: str, defaults: _Defaults, base: Registry | None
    ) -> Registry | None:
        body = self.reader.mapping(entry.value, place)
        self.reader.known_keys(body, place, _REGISTRY_KEYS)
        rewrite = self._rewrite(body, place, base)
        mirror = defaults.mirror
        if "capabilities" in body:
            words = self._hosts.capabilities(body["capabilities"].value, f"{place}.capabilities")
            mirror = replace(mirror, capabilities=words)
        mirrors = self._endpoints(name, entry, body, place, mirror, base)
        fallback = self._fallback(body, place, default=base.fallback if base else defaults.fallback)
        server = base.server if base else default_server(name)
        if any(mirror.url == f"http://{name}" for mirror in mirrors):
            server = f"http://{name}"  # a registry of plain HTTP is listed as its own mirror
        if "server" in body:
            server = self._server(body["server"].value, f"{place}.server") or server
        verify = base.verify if base else None
        if "verify" in body:
            verify = self._verify(name, body["verify"].value, f"{place}.verify")
        return Registry(
            name=name,
            server=server,
            mirrors=mirrors,
            fallback=fallback,
            verify=verify,
            upstream=self._configs.upstream(server),
            rewrite=rewrite,
        )

    def _rewrite(
        self, body: Mapping[str, MappingEntry], place: str, base: Registry | None
    ) -> tuple[tuple[str, str], ...]:
        """Read rewrites, which only k3s and RKE2 support; plans of other nodes refuse them."""
        if "rewrite" not in body:
            return base.rewrite if base else ()
        where = f"{place}.rewrite"
        entries = self.reader.mapping(body["rewrite"].value, where)
        pairs = ((key, self.reader.string(entry.value, where)) for key, entry in entries.items())
        return tuple((key, text) for key, text in pairs if text is not None)

    def _endpoints(
        self,
        name: str,
        entry: MappingEntry,
        body: Mapping[str, MappingEntry],
        place: str,
        default: Mirror,
        base: Registry | None,
    ) -> tuple[Mirror, ...]:
        key = "endpoints" if "endpoints" in body else "endpoint"
        if "endpoints" in body and "endpoint" in body:
            self.reader.error(
                body["endpoint"].key, place, "endpoint and endpoints are the same key"
            )
        if key not in body:
            if base is None:
                self.reader.error(entry.key, place, "needs endpoints")
            return base.mirrors if base else ()
        value = body[key].value
        where = f"{place}.{key}"
        items = self.reader.items(value, where)
        if isinstance(value.data, tuple) and not value.data:
            self.reader.error(value, where, "is empty: add a mirror, or remove the registry")
        mirrors: dict[str, tuple[Mirror, int]] = {}
        for number, item in enumerate(items):
            mirror = self._hosts.endpoint(item, f"{where}[{number}]", default)
            if mirror is None:
                continue
            self._refuse_twice(name, item, where, mirror, mirrors)
            mirrors.setdefault(mirror.url, (self._configs.applied(item, where, mirror), item.line))
        return tuple(mirror for mirror, _ in mirrors.values())

    def _refuse_twice(
        self,
        name: str,
        item: Value,
        where: str,
        mirror: Mirror,
        mirrors: Mapping[str, tuple[Mirror, int]],
    ) -> None:
        if mirror.url in mirrors:
            text = f"{mirror.url} is listed twice (first on line {mirrors[mirror.url][1]})"
            self.reader.error(item, where, text)
        if is_upstream(mirror.url, name):
            text = f"{mirror.url} is {name} itself, not a mirror of it: remove it"
            self.reader.error(item, where, text)

    def _server(self, value: Value, place: str) -> str | None:
        text = self.reader.string(value, place)
        problem = None if text is None else url_problem(text)
        if text is None or problem is not None:
            if problem is not None:
                self.reader.error(value, place, problem)
            return None
        if is_hub_site(text):
            problem = "docker.io serves no images: write https://registry-1.docker.io, or remove it"
            self.reader.error(value, place, problem)
        return without_v2(normal_url(text))

    def _verify(self, name: str, value: Value, place: str) -> str | None:
        if isinstance(value.data, dict):
            self.reader.known_keys(value.data, place, ("image",))
            if "image" not in value.data:
                self.reader.error(value, place, "needs an image")
                return None
            value = value.data["image"].value
        text = self.reader.string(value, place)
        if text is None:
            return None
        own, slash, rest = text.partition("/")
        text = f"docker.io{slash}{rest}" if folder_name(own) == "docker.io" else text
        if not _REFERENCE.fullmatch(text):
            example = (
                "docker.io/library/busybox:1.36" if name == "docker.io" else f"{name}/NAME:TAG"
            )
            self.reader.error(value, place, f"use the full name, e.g. {example}, not {text!r}")
            return None
        if name != "_default" and not text.startswith(f"{name}/"):
            self.reader.error(value, place, f"{text} does not belong to {name}")
            return None
        return text

    # -- overrides ---------------------------------------------------------------------------

    def _overrides(
        self, body: Mapping[str, MappingEntry], defaults: _Defaults, base: Mapping[str, Registry]
    ) -> tuple[Override, ...]:
        if "overrides" not in body:
            return ()
        overrides = []
        for number, item in enumerate(self.reader.items(body["overrides"].value, "overrides")):
            place = f"overrides[{number}]"
            entries = self.reader.mapping(item, place)
            self.reader.known_keys(entries, place, ("match", "mirrors"))
            if "match" not in entries or "mirrors" not in entries:
                self.reader.error(item, place, "needs match and mirrors")
                continue
            match = self.reader.string(entries["match"].value, f"{place}.match")
            where = f"{place}.mirrors"
            registries = self._registries(entries["mirrors"].value, where, defaults, base)
            if match and self._is_pattern(entries["match"].value, f"{place}.match"):
                overrides.append(Override(match, registries))
        return tuple(overrides)

    def _is_pattern(self, value: Value, place: str) -> bool:
        """Return whether a pattern can be parsed; record an error if not.

        An empty inventory is used for that, so the result does not depend on the nodes.
        """
        try:
            override_matches(Inventory((), {}), [value.text])
        except FleetError as error:
            self.reader.error(value, place, str(error))
            return False
        self.matches.append(value)
        return True

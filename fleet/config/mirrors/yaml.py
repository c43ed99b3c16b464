"""Reader of mirrors.yaml; registries.yaml of k3s and RKE2 has the same shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleet.config.mirrors.endpoint import HostReader
from fleet.config.mirrors.endpoint_list import EndpointLists, ListedRegistry
from fleet.config.mirrors.host_configs import HostConfigs
from fleet.config.mirrors.known_registries import doubt_about
from fleet.config.mirrors.verify_image import verify_image
from fleet.config.reader import Reader
from fleet.core.containerd.registry_url import (
    default_server,
    folder_name,
    is_hub_site,
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
        self._endpoints = EndpointLists(self.reader, self._hosts, self._configs)

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
        overrides = self._overrides(body, defaults, registries)
        own = tuple(self._configs.own_registries(registries))
        if not registries and not own and not self.reader.problems:
            self.reader.error(root, "", "the file has no registries: write them under mirrors")
        return MirrorConfig((*registries.values(), *own), overrides)

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
        fallback = self._fallback(body, place, default=base.fallback if base else defaults.fallback)
        listed = ListedRegistry(
            name=name, default=mirror, fallback=fallback, rewrites=bool(rewrite), base=base
        )
        mirrors = self._endpoints.read(entry, place, listed)
        server = base.server if base else default_server(name)
        if any(mirror.url == f"http://{name}" for mirror in mirrors):
            server = f"http://{name}"  # a registry of plain HTTP is listed as its own mirror
        if "server" in body:
            server = self._server(body["server"].value, f"{place}.server") or server
        verify = base.verify if base else None
        if "verify" in body:
            verify = verify_image(self.reader, name, body["verify"].value, f"{place}.verify")
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

"""The endpoints of mirrors.yaml, with the certificates and secrets that they name."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from fleet.config.files import read_content
from fleet.config.mirrors.certificates import expiry_warnings
from fleet.config.reader import Reader
from fleet.core.containerd.registry_url import normal_url, path_of, url_problem, without_v2
from fleet.core.model.mirror import ClientPair, Mirror
from fleet.core.model.secret import Secret
from fleet.core.text.yaml import MappingEntry, Value
from fleet.home import expanded

CAPABILITIES = ("pull", "resolve", "push", "referrers")


ENDPOINT_KEYS = (
    "url",
    "capabilities",
    "override_path",
    "skip_verify",
    "ca",
    "client",
    "header",
    "dial_timeout",
)


_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:h|m|s|ms|us|ns))+")


CERTIFICATE, KEY = b"CERTIFICATE-----", b"PRIVATE KEY-----"


_FIELD = re.compile(r"[A-Za-z0-9!#$%&'*+.^_|~-]+")


class HostReader:
    """Reads endpoints; paths are relative to the folder of mirrors.yaml."""

    def __init__(self, reader: Reader, folder: Path) -> None:
        self._reader, self._folder = reader, folder

    def duration(self, value: Value, place: str) -> str | None:
        """Return a Go duration."""
        text = self._reader.string(value, place)
        if text is None or _DURATION.fullmatch(text):
            return text
        self._reader.error(value, place, f"expected a duration such as 3s or 500ms, got {text!r}")
        return None

    def capabilities(self, value: Value, place: str) -> tuple[str, ...]:
        """Return capabilities; warn of a mirror that may push."""
        words = []
        for item in self._reader.items(value, place):
            word = self._reader.choice(item, place, CAPABILITIES)
            if word == "push":
                self._reader.warn(item, place, "push lets the mirror receive what nodes push")
            words += [word] if word else []
        if not words and isinstance(value.data, tuple) and not value.data:
            self._reader.error(value, place, "an empty list would mean all: write [pull, resolve]")
        return tuple(dict.fromkeys(words))

    def endpoint(self, value: Value, place: str, default: Mirror) -> Mirror | None:
        """Return one endpoint, given as a bare URL or as a mapping that has one."""
        if isinstance(value.data, str):
            return self._checked(value, value, place, replace(default, url=value.text))
        entries = self._reader.mapping(value, place)
        self._reader.known_keys(entries, place, ENDPOINT_KEYS)
        if "url" not in entries:
            if isinstance(value.data, dict):
                self._reader.error(value, place, "needs a url")
            return None
        at = entries["url"].value
        url = self._reader.string(at, f"{place}.url")
        if url is None:
            return None
        return self._checked(at, value, place, self._described(entries, place, default, url))

    def _described(
        self, entries: Mapping[str, MappingEntry], place: str, default: Mirror, url: str
    ) -> Mirror:
        mirror = replace(default, url=url)
        if "capabilities" in entries:
            capabilities = self.capabilities(entries["capabilities"].value, f"{place}.capabilities")
            mirror = replace(mirror, capabilities=capabilities)
        mirror = replace(
            mirror,
            override_path=self._flag(entries, place, "override_path"),
            skip_verify=self._flag(entries, place, "skip_verify"),
        )
        if "dial_timeout" in entries:
            text = self.duration(entries["dial_timeout"].value, f"{place}.dial_timeout")
            mirror = replace(mirror, dial_timeout=text)
        if "ca" in entries:
            mirror = replace(mirror, ca=self._files(entries["ca"].value, f"{place}.ca"))
        if "client" in entries:
            pairs = self._client(entries["client"].value, f"{place}.client")
            mirror = replace(mirror, client=pairs)
        if "header" in entries:
            fields = self._header(entries["header"].value, f"{place}.header")
            mirror = replace(mirror, header=fields)
        return mirror

    def _flag(self, entries: Mapping[str, MappingEntry], place: str, key: str) -> bool:
        return key in entries and bool(self._reader.boolean(entries[key].value, f"{place}.{key}"))

    def _checked(self, at: Value, whole: Value, place: str, mirror: Mirror) -> Mirror | None:
        problem = url_problem(mirror.url)
        if problem is not None:
            self._reader.error(at, place, problem)
            return None
        url = normal_url(mirror.url)
        if path_of(url) and not mirror.override_path:
            text = f"{url} has a path: add override_path: true, or containerd appends /v2 to it"
            self._reader.error(at, place, text)
        if mirror.scheme == "http" and (mirror.skip_verify or mirror.ca or mirror.client):
            text = "TLS keys (skip_verify, ca, client) on http:// make containerd try https first"
            self._reader.error(whole, place, text)
        return replace(mirror, url=url if mirror.override_path else without_v2(url))

    def _files(self, value: Value, place: str) -> tuple[bytes, ...]:
        items = value.data if isinstance(value.data, tuple) else (value,)
        contents = tuple(self.file(item, place) for item in items)
        for item, content in zip(items, contents, strict=True):
            if content is not None and KEY in content:
                text = (
                    f"{item.text}: contains a private key, but every user of a node can read a ca"
                )
                self._reader.error(item, place, text)
        return tuple(content for content in contents if content is not None)

    def file(self, value: Value, place: str, label: bytes = CERTIFICATE) -> bytes | None:
        """Read a certificate or key from this machine."""
        text = self._reader.string(value, place)
        if text is None:
            return None
        try:
            content = read_content(self._folder / expanded(text))
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or "not a path"
            self._reader.error(value, place, f"{text}: cannot be read ({reason})")
            return None
        if label not in content:
            self._reader.error(
                value, place, f"{text}: contains no PEM {label.decode().strip('- ').lower()}"
            )
            return None
        if label == CERTIFICATE:
            self._warn_expiry(value, place, content)
        return content

    def _warn_expiry(self, value: Value, place: str, content: bytes) -> None:
        for text in expiry_warnings(content, datetime.now(UTC)):
            self._reader.warn(value, place, f"{value.text}: {text}")

    def _client(self, value: Value, place: str) -> tuple[ClientPair, ...]:
        """Read the three forms: one file with certificate and key, several such files, or pairs."""
        items = value.data if isinstance(value.data, tuple) else (value,)
        pairs = []
        for item in items:
            parts = item.data if isinstance(item.data, tuple) else (item,)
            if len(parts) not in {1, 2}:
                self._reader.error(item, place, "expected [certificate, key]")
                continue
            contents = [self.file(parts[0], place)]
            # A single file must hold the key as well. In a pair, the second file is the key.
            contents.append(self.file(parts[-1], place, KEY))
            if contents[0] is not None and contents[-1] is not None:
                key = contents[1] if len(parts) == 2 else None
                pairs.append(ClientPair(contents[0], key))
        return tuple(pairs)

    def _header(self, value: Value, place: str) -> tuple[tuple[str, tuple[Secret, ...]], ...]:
        fields = []
        for name, entry in self._reader.mapping(value, place).items():
            if not _FIELD.fullmatch(name):
                self._reader.error(entry.key, place, f"invalid HTTP header {name!r}")
            items = entry.value.data if isinstance(entry.value.data, tuple) else (entry.value,)
            secrets = [self.secret(item, f"{place}.{name}", plain=True) for item in items]
            fields.append((name, tuple(secret for secret in secrets if secret is not None)))
        return tuple(fields)

    def secret(self, value: Value, place: str, *, plain: bool = False) -> Secret | None:
        """Return a secret from `env:NAME`, or from the file with a warning unless `plain`."""
        text = self._reader.scalar(value, place)
        if text is None:
            return None
        if text.startswith("env:"):
            variable = os.environ.get(text[4:])
            if variable is None:
                self._reader.error(value, place, f"the environment variable {text[4:]} is not set")
                return None
            text = variable
        elif not plain:
            self._reader.warn(
                value, place, "a secret in a file: write env:NAME, and set that variable"
            )
        if not text.isprintable():
            self._reader.error(value, place, "contains control characters")
            return None
        return Secret(text)

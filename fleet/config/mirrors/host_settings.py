"""The settings of one host in `configs`: TLS, and a login."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fleet.config.mirrors.endpoint import CERTIFICATE, KEY, HostReader
from fleet.config.reader import Reader
from fleet.core.model.mirror import Auth, ClientPair, Mirror
from fleet.core.model.secret import Secret
from fleet.core.text.yaml import MappingEntry, Value

_TLS_KEYS = ("ca_file", "cert_file", "key_file", "insecure_skip_verify")


_AUTH_KEYS = ("username", "password", "auth", "identity_token")


_IGNORED = "token"
"""A key of other tools' examples, which k3s and RKE2 do not read."""


@dataclass(frozen=True, slots=True)
class HostConfig:
    """The settings of one host in `configs`; `at` is their place in the file."""

    at: Value
    mirror: Mirror

    @property
    def is_empty(self) -> bool:
        """Return whether the host is listed without any setting."""
        return self.mirror == Mirror(url=self.mirror.url)


class HostSettingsReader:
    """Reads the entries of `configs`. A key without a value counts as absent, as k3s takes it."""

    def __init__(self, reader: Reader, hosts: HostReader) -> None:
        self._reader, self._hosts = reader, hosts

    def config(self, host: str, entry: MappingEntry, place: str) -> HostConfig:
        """Return the settings of one host."""
        body = self._reader.mapping(entry.value, place)
        self._reader.known_keys(body, place, ("auth", "tls"))
        mirror = Mirror(url=f"https://{host}")
        if "tls" in body:
            mirror = self._with_tls(body["tls"].value, f"{place}.tls", mirror)
        if "auth" in body:
            auth = self._auth(body["auth"].value, f"{place}.auth")
            mirror = replace(mirror, auth=auth)
        return HostConfig(entry.key, mirror)

    def _with_tls(self, value: Value, place: str, mirror: Mirror) -> Mirror:
        body = self._reader.mapping(value, place)
        self._reader.known_keys(body, place, _TLS_KEYS)
        tls = {key: entry.value for key, entry in body.items() if _has_value(entry.value)}
        if "insecure_skip_verify" in tls:
            flag = self._reader.boolean(
                tls["insecure_skip_verify"], f"{place}.insecure_skip_verify"
            )
            mirror = replace(mirror, skip_verify=bool(flag))
        if "ca_file" in tls:
            mirror = self._with_ca(tls["ca_file"], f"{place}.ca_file", mirror)
        if "cert_file" in tls and "key_file" in tls:
            return self._with_client(tls, place, mirror)
        if "cert_file" in tls or "key_file" in tls:
            self._reader.error(value, place, "needs both cert_file and key_file")
        return mirror

    def _with_ca(self, value: Value, place: str, mirror: Mirror) -> Mirror:
        if self._is_on_nodes(value, place):
            return replace(mirror, ca_paths=(value.text,))
        content = self._hosts.file(value, place)
        return replace(mirror, ca=(content,) if content else ())

    def _with_client(self, tls: Mapping[str, Value], place: str, mirror: Mirror) -> Mirror:
        cert, key = tls["cert_file"], tls["key_file"]
        places = f"{place}.cert_file", f"{place}.key_file"
        on_nodes = self._is_on_nodes(cert, places[0]), self._is_on_nodes(key, places[1])
        if all(on_nodes):
            return replace(mirror, client_paths=((cert.text, key.text),))
        if any(on_nodes):
            problem = "is on this machine and the other file is not: keep both in one place"
            at = on_nodes.index(False)
            self._reader.error((cert, key)[at], places[at], f"{(cert, key)[at].text} {problem}")
            return mirror
        certificate = self._hosts.file(cert, places[0], CERTIFICATE)
        private = self._hosts.file(key, places[1], KEY)
        if certificate is None or private is None:
            return mirror
        return replace(mirror, client=(ClientPair(certificate, private),))

    def _is_on_nodes(self, value: Value, place: str) -> bool:
        """Return whether a file is on the nodes: its absolute path does not exist here."""
        path = value.data
        if not isinstance(path, str) or not path.startswith("/") or "\0" in path:
            return False
        try:
            Path(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            text = f"{path} is not on this machine: every node needs it at this path"
            self._reader.warn(value, place, text)
            return True
        except OSError:
            pass
        return False

    def _joined_auth(self, value: Value, place: str) -> Auth | None:
        """Read `user:password` in base64, the form of docker's own files."""
        text = self._hosts.secret(value, place)
        try:
            joined = base64.b64decode(text or "", validate=True).decode()
        except ValueError:
            joined = ""
        username, mark, password = joined.partition(":")
        if text is not None and not (mark and joined.isprintable()):
            self._reader.error(value, place, "is not user:password in base64")
            return None
        return Auth(username, Secret(password))

    def _auth(self, value: Value, place: str) -> Auth | None:
        body = self._reader.mapping(value, place)
        self._reader.known_keys(body, place, (*_AUTH_KEYS, _IGNORED))
        if _IGNORED in body:
            text = "k3s and RKE2 do not read token: write identity_token, or username and password"
            self._reader.warn(body[_IGNORED].key, place, text)
        auth = {
            key: entry.value
            for key, entry in body.items()
            if key != _IGNORED and _has_value(entry.value)
        }
        if "identity_token" in auth:
            if len(auth) > 1:
                self._reader.error(
                    value, place, "identity_token cannot be combined with other keys"
                )
            token = self._hosts.secret(auth["identity_token"], f"{place}.identity_token")
            return None if token is None else Auth("", Secret(""), token)
        if "auth" in auth and not auth.keys() & {"username", "password"}:
            return self._joined_auth(auth["auth"], f"{place}.auth")
        if not auth:
            return None
        if not auth.keys() >= {"username", "password"}:
            self._reader.error(value, place, "needs username and password")
            return None
        username = self._reader.scalar(auth["username"], f"{place}.username")
        password = self._hosts.secret(auth["password"], f"{place}.password")
        return None if username is None or password is None else Auth(username, password)


def _has_value(value: Value) -> bool:
    """Return whether a key has a value; `key:`, `key: ~` and `key: ""` have none."""
    return value.data is not None and value.data != ""

"""Names of settings whose values are secrets, in TOML, YAML, JSON and environments alike."""

from __future__ import annotations

import re
from enum import Enum, auto

_STRONG = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "creds",
    "authorization",
    "apikey",
    "accesskey",
    "privatekey",
    "passkey",
    "keydata",
    "dockerconfig",
    "jwt",
    "cookie",
    "bearer",
)
_STRONG_WORDS = {"pass", "pwd", "pw", "psk", "cred", "pat", "signature", "sig", "session"}
_LOGIN_WORDS = {"auth", "auths", "authn", "basicauth", "authentication", "login", "logins"}
_SHOWN_IN_LOGIN = {"username", "user", "email", "serveraddress", "registry", "server", "host"}
_WORD = re.compile(r"[a-z0-9]+")


class Visibility(Enum):
    """The kind of content at a place in a file.

    PUBLIC is shown. In HEADERS the names are shown and the values hidden. In LOGIN the user's name
    is shown and everything else is hidden. SECRET is hidden with everything below it.
    """

    PUBLIC = auto()
    HEADERS = auto()
    LOGIN = auto()
    SECRET = auto()

    @property
    def hidden(self) -> bool:
        """Return whether a plain value at this place is hidden."""
        return self is not Visibility.PUBLIC

    def below(self, key: str) -> Visibility:
        """Return the kind of the setting `key` below this place."""
        if self is Visibility.PUBLIC:
            return visibility_of(key)
        if self is Visibility.LOGIN:
            named = "".join(_WORD.findall(key.casefold()))
            return Visibility.PUBLIC if named in _SHOWN_IN_LOGIN else Visibility.LOGIN
        return Visibility.SECRET


def visibility_of(key: str) -> Visibility:
    """Return the kind of a setting of that name, wherever it is."""
    if "//" in key:  # A URL as a key names a host, even if it contains a word for a secret.
        return Visibility.PUBLIC
    words = _WORD.findall(key.casefold().rpartition("/")[2].rpartition(".")[2])
    joined = "".join(words)
    if joined.endswith(("header", "headers")):
        return Visibility.HEADERS
    if any(word in joined for word in _STRONG) or not _STRONG_WORDS.isdisjoint(words):
        return Visibility.SECRET
    if not _LOGIN_WORDS.isdisjoint(words) or joined == "authconfig":
        return Visibility.LOGIN
    return Visibility.PUBLIC


def visibility_at(path: tuple[str, ...]) -> Visibility:
    """Return the kind of the setting at a whole path."""
    place = Visibility.PUBLIC
    for key in path:
        place = place.below(key)
    return place

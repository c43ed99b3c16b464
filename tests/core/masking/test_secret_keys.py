"""Names of settings: which values are shown, which are hidden, and what is below them."""

from __future__ import annotations

import pytest

from fleet.core.masking.secret_keys import Visibility, visibility_at, visibility_of

SECRET = [
    *("password", "Password", "PASSWORD", "passwd", "passphrase", "REGISTRY_PASSWORD"),
    *("secret", "client-secret", "secretName", "token", "identitytoken", "identity_token"),
    *("access_token", "credential", "credentials", "creds", "authorization", "Authorization"),
    *("api_key", "apiKey", "accesskey", "private-key", "passkey", "client-key-data"),
    *(".dockerconfigjson", "jwt", "Set-Cookie", "bearer", "pass", "db.pass", "ssh-pwd", "reg_pw"),
    *("psk", "cred", "pat", "X-Amz-Signature", "sig", "session", "corp.test/password"),
]
LOGIN = ["auth", "auths", "authn", "basic_auth-login", "authentication", "login", "logins"]
LOGIN += ["basicAuth", "auth_config", "authConfig"]
HEADERS = ["header", "headers", "Headers", "http_header", "request.header", "customHeaders"]
PUBLIC = [
    *("server", "endpoint", "ca", "client", "key_file", "cert_file", "capabilities", "config_path"),
    *("host", "username", "compass", "spatial", "signed", "author", "authors", "passive", "key"),
    *("password.username", "secret/name", "headers.x", "", "...", "*", "docker.io"),
    *("https://token.corp.test", "http://password/v2"),
]


@pytest.mark.parametrize("key", SECRET)
def test_a_secret_by_its_name(key: str) -> None:
    assert visibility_of(key) is Visibility.SECRET


@pytest.mark.parametrize("key", LOGIN)
def test_a_login_by_its_name(key: str) -> None:
    assert visibility_of(key) is Visibility.LOGIN


@pytest.mark.parametrize("key", HEADERS)
def test_headers_by_their_name(key: str) -> None:
    assert visibility_of(key) is Visibility.HEADERS


@pytest.mark.parametrize("key", PUBLIC)
def test_a_public_setting_by_its_name(key: str) -> None:
    assert visibility_of(key) is Visibility.PUBLIC


@pytest.mark.parametrize(
    ("visibility", "hidden"),
    [
        (Visibility.PUBLIC, False),
        (Visibility.HEADERS, True),
        (Visibility.LOGIN, True),
        (Visibility.SECRET, True),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_only_public_values_are_shown(visibility: Visibility, hidden: bool) -> None:
    assert visibility.hidden is hidden


PATHS: dict[str, tuple[tuple[str, ...], Visibility]] = {
    "the root": ((), Visibility.PUBLIC),
    "a plain path": (("plugins", "registry", "config_path"), Visibility.PUBLIC),
    "a name deep down": (("configs", "h", "tls", "password"), Visibility.SECRET),
    "below a secret": (("password", "username"), Visibility.SECRET),
    "a user in a login": (("configs", "h", "auth", "username"), Visibility.PUBLIC),
    "a user, written otherwise": (("auth", "User-Name"), Visibility.PUBLIC),
    "an address in a login": (("auths", "serverAddress"), Visibility.PUBLIC),
    "a password in a login": (("configs", "h", "auth", "password"), Visibility.LOGIN),
    "any other key in a login": (("auth", "x"), Visibility.LOGIN),
    "a host in a table of logins": (("auths", "https://h", "auth"), Visibility.LOGIN),
    "a value of headers": (("host", "https://h", "header", "X-Any"), Visibility.SECRET),
    "a user of headers": (("headers", "username"), Visibility.SECRET),
    "below the user of a login": (("auth", "user", "client-key-data"), Visibility.SECRET),
    "a host whose name holds a word": (("configs", "token.corp.test", "tls"), Visibility.PUBLIC),
}


@pytest.mark.parametrize(("path", "visibility"), PATHS.values(), ids=list(PATHS))
def test_the_kind_of_a_setting_by_its_path(path: tuple[str, ...], visibility: Visibility) -> None:
    assert visibility_at(path) is visibility

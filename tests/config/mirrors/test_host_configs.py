"""The configs section: settings reach the mirrors and registries of their host alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.config.mirrors.endpoint import HostReader
from fleet.config.mirrors.host_configs import HostConfigs
from fleet.config.reader import Reader
from fleet.core.model.mirror import Auth, ClientPair, Mirror
from fleet.core.model.secret import Secret
from tests.support.values import parsed, scalar

TLS = "{a.example: {tls: {insecure_skip_verify: true}, auth: {username: u, password: p}}}"
AUTH = Auth("u", Secret("p"))


def configs(text: str) -> tuple[HostConfigs, Reader]:
    reader = Reader("m")
    found = HostConfigs(reader, HostReader(reader, Path()))
    found.read(parsed(text))
    reader.warnings.clear()  # passwords in the file
    return found, reader


def messages(reader: Reader) -> list[str]:
    return [problem.message for problem in reader.problems]


def test_a_mirror_takes_the_settings_of_its_host() -> None:
    found, reader = configs(TLS)

    mirror = found.applied(scalar("x"), "here", Mirror(url="https://a.example/v2/hub"))

    assert mirror == Mirror(url="https://a.example/v2/hub", skip_verify=True, auth=AUTH)
    assert messages(reader) == []


def test_a_mirrors_own_settings_go_first() -> None:
    found, _ = configs(TLS)
    own = Mirror(
        url="https://a.example", ca=(b"own",), client=(ClientPair(b"own", None),), skip_verify=True
    )

    mirror = found.applied(scalar("x"), "here", own)

    assert (mirror.ca, mirror.client, mirror.skip_verify) == (own.ca, own.client, True)


@pytest.mark.parametrize("host", ["b.example", "a.example:5000", "sub.a.example"])
def test_a_mirror_of_another_host_stays_as_it_is(host: str) -> None:
    found, _ = configs(TLS)
    mirror = Mirror(url=f"https://{host}")

    assert found.applied(scalar("x"), "here", mirror) is mirror


def test_the_default_port_is_the_same_host() -> None:
    found, _ = configs("{'a.example:443': {auth: {username: u, password: p}}}")

    assert found.applied(scalar("x"), "here", Mirror(url="https://a.example")).auth == AUTH


def test_a_registry_has_the_settings_of_its_own_host() -> None:
    found, _ = configs(TLS)

    assert found.upstream("https://a.example/x") == Mirror(
        url="https://a.example/x", skip_verify=True, auth=AUTH
    )


@pytest.mark.parametrize("server", [None, "", "https://b.example"])
def test_a_registry_without_settings_has_none(server: str | None) -> None:
    found, _ = configs(TLS)

    assert found.upstream(server) is None


def test_a_host_that_is_used_is_not_warned_of() -> None:
    found, reader = configs("{a.example: {}, b.example: {}, c.example: {}}")
    found.applied(scalar("x"), "here", Mirror(url="https://a.example"))
    found.upstream("https://b.example")

    own = list(found.own_registries(()))

    assert own == []
    assert [str(warning) for warning in reader.warnings] == [
        "m:1:32: warning: configs.c.example: no mirror uses this host, so this entry has no effect"
    ]


def test_tls_settings_do_not_go_with_a_mirror_on_plain_http() -> None:
    found, reader = configs(TLS)

    found.applied(scalar("x", line=7, column=3), "here", Mirror(url="http://a.example"))

    assert messages(reader) == []
    assert [str(warning) for warning in reader.warnings] == [
        "m:7:3: warning: here: configs.a.example.tls has no effect on an http:// endpoint"
    ]


def test_tls_settings_do_not_go_with_a_registry_on_plain_http() -> None:
    found, reader = configs(TLS)

    assert found.upstream("http://a.example") == Mirror(url="http://a.example", auth=AUTH)
    assert [str(warning) for warning in reader.warnings] == [
        "m:1:2: warning: configs.a.example: configs.a.example.tls has no effect on an http://"
        " endpoint"
    ]


def test_a_host_that_nothing_else_names_is_a_registry_of_its_own() -> None:
    found, _ = configs(TLS)

    (own,) = found.own_registries(())

    upstream = Mirror(url="https://a.example", skip_verify=True, auth=AUTH)
    assert (own.name, own.server, own.mirrors) == ("a.example", "https://a.example", ())
    assert (own.upstream, own.listed) == (upstream, False)
    assert list(found.own_registries({"a.example"})) == []


@pytest.mark.parametrize("name", ["docker.io", "registry-1.docker.io", "'index.docker.io:443'"])
def test_every_name_of_docker_hub_is_one_host(name: str) -> None:
    found, _ = configs(f"{{{name}: {{auth: {{username: u, password: p}}}}}}")

    mirror = found.applied(scalar("x"), "here", Mirror(url="https://registry-1.docker.io"))

    assert mirror.auth == AUTH
    assert found.upstream("https://registry-1.docker.io") is not None


EVERY = "{'*': {tls: {insecure_skip_verify: true}}, docker.io: , a.example: {auth: %s}}"


def test_the_settings_of_every_host_are_for_those_without_an_entry() -> None:
    found, _ = configs(EVERY % "{username: u, password: p}")

    other = found.applied(scalar("x"), "here", Mirror(url="https://b.example"))
    named = found.applied(scalar("x"), "here", Mirror(url="https://a.example"))
    own = {registry.name: registry for registry in found.own_registries(())}

    assert (other.skip_verify, named.skip_verify) == (True, False)
    assert list(own) == ["_default", "docker.io"]
    assert own["_default"].upstream == Mirror(url="https://_default", skip_verify=True)
    assert own["docker.io"].upstream == Mirror(url="https://registry-1.docker.io")
    assert found.upstream(None) == Mirror(url="https://_default", skip_verify=True)


def test_a_password_goes_with_plain_http() -> None:
    found, reader = configs("{a.example: {auth: {username: u, password: p}}}")

    assert found.applied(scalar("x"), "here", Mirror(url="http://a.example")).auth == AUTH
    assert messages(reader) == []


def test_a_host_that_is_none_is_refused_and_reading_goes_on() -> None:
    found, reader = configs("{A.example: {}, b.example: {auth: {username: u, password: p}}}")

    assert messages(reader) == ["configs: registry names are lower case: 'a.example'"]
    assert found.applied(scalar("x"), "here", Mirror(url="https://b.example")).auth == AUTH

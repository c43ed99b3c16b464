"""The endpoints of a registry by fleet's own rules, and by those of k3s and RKE2."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.config.load import load_mirrors
from fleet.config.mirrors.endpoint import HostReader
from fleet.config.mirrors.endpoint_list import EndpointLists, ListedRegistry
from fleet.config.mirrors.host_configs import HostConfigs
from fleet.config.reader import Reader
from fleet.core.model.mirror import Mirror
from fleet.core.text.yaml import MappingEntry
from tests.support.values import parsed, scalar

QUAY = ListedRegistry(name="quay.io", default=Mirror(url=""))


def endpoints(text: str, registry: ListedRegistry = QUAY) -> tuple[tuple[Mirror, ...], Reader]:
    reader = Reader("m")
    hosts = HostReader(reader, Path())
    lists = EndpointLists(reader, hosts, HostConfigs(reader, hosts))
    return lists.read(MappingEntry(scalar("r"), parsed(text)), "r", registry), reader


def messages(reader: Reader) -> tuple[list[str], list[str]]:
    """Return the texts of the mistakes and of the warnings."""
    errors, warnings = reader.problems, reader.warnings
    return [problem.message for problem in errors], [problem.message for problem in warnings]


AS_K3S = {
    "no scheme": ("m.example:5000", "https://m.example:5000", False),
    "a port of this machine": ("localhost:5000", "http://localhost:5000", False),
    "a loopback address": ("127.0.0.1:5000", "http://127.0.0.1:5000", False),
    "a loopback address of IPv6": ("'[::1]:5000'", "http://[::1]:5000", False),
    "this machine's port of TLS": ("localhost:443", "https://localhost", False),
    "this machine": ("localhost", "https://localhost", False),
    "a path": ("https://m.example/proxy/hub", "https://m.example/proxy/hub", True),
    "a path and no scheme": ("m.example/v2/hub/", "https://m.example/v2/hub", True),
    "the usual path": ("https://m.example/v2", "https://m.example", False),
    "a slash": ("https://m.example/", "https://m.example", False),
}


@pytest.mark.parametrize(("text", "url", "override"), AS_K3S.values(), ids=AS_K3S)
def test_an_endpoint_is_read_as_k3s_reads_it(text: str, url: str, override: bool) -> None:
    (mirror,), reader = endpoints(f"{{endpoint: [{text}]}}")

    assert (mirror.url, mirror.override_path) == (url, override)
    assert messages(reader) == ([], [])


@pytest.mark.parametrize("text", ["m.example", "https://m.example/x"])
def test_the_key_of_fleet_is_strict(text: str) -> None:
    _, reader = endpoints(f"{{endpoints: [{text}]}}")

    assert len(reader.problems) == 1


@pytest.mark.parametrize("text", ["https://u:p@m", "m?x", "../x", "ftp://m", "'m\\x1b'", "''"])
def test_what_is_not_an_address_is_refused(text: str) -> None:
    _, reader = endpoints(f"{{endpoint: [{text}]}}")

    assert len(reader.problems) == 1


@pytest.mark.parametrize("text", ["", "{}", "{endpoint: }", "{endpoint: []}", "{rewrite: {a: b}}"])
def test_a_registry_needs_no_endpoints_as_the_embedded_one_serves_it(text: str) -> None:
    mirrors, reader = endpoints(text)

    assert mirrors == ()
    assert messages(reader) == (
        [],
        ["r: has no endpoints: only the embedded registry of k3s and RKE2 can serve it"],
    )


@pytest.mark.parametrize(
    ("registry", "text"),
    [(ListedRegistry(name="q", default=Mirror(url=""), fallback=False), ""), (QUAY, "{verify: x}")],
)
def test_a_registry_that_nothing_would_serve_needs_endpoints(
    registry: ListedRegistry, text: str
) -> None:
    assert messages(endpoints(text, registry)[1]) == (["r: needs endpoints"], [])


def test_the_registry_itself_at_the_end_is_the_fallback() -> None:
    mirrors, reader = endpoints("{endpoint: [https://m.example, https://quay.io]}")

    assert [mirror.url for mirror in mirrors] == ["https://m.example"]
    assert messages(reader) == ([], [])


def test_the_registry_itself_alone_is_warned_of() -> None:
    mirrors, reader = endpoints("{endpoint: [quay.io]}")

    assert mirrors == ()
    assert messages(reader) == ([], ["r.endpoint: quay.io has no mirror beside itself"])


def test_the_registry_itself_first_stays_first() -> None:
    mirrors, reader = endpoints("{endpoint: [https://quay.io, https://m.example]}")

    assert [mirror.url for mirror in mirrors] == ["https://quay.io", "https://m.example"]
    assert messages(reader) == (
        [],
        ["r.endpoint: https://quay.io is quay.io itself: mirrors below it are asked after it"],
    )


@pytest.mark.parametrize(("fallback", "rewrites"), [(False, False), (True, True)])
def test_the_registry_itself_stays_where_the_fallback_is_not_the_same(
    fallback: bool, rewrites: bool
) -> None:
    registry = ListedRegistry(
        name="quay.io", default=Mirror(url=""), fallback=fallback, rewrites=rewrites
    )

    mirrors, _ = endpoints("{endpoint: [https://quay.io]}", registry)

    assert [mirror.url for mirror in mirrors] == ["https://quay.io"]


def test_an_endpoint_twice_counts_once() -> None:
    mirrors, reader = endpoints("{endpoint: [https://m.example, m.example]}")

    assert [mirror.url for mirror in mirrors] == ["https://m.example"]
    assert messages(reader) == ([], ["r.endpoint: https://m.example is listed twice"])


def test_a_file_of_configs_alone_loads(tmp_path: Path) -> None:
    file = tmp_path / "registries.yaml"
    file.write_text("configs: {r.example: {auth: {username: u, password: p}}}\n")

    config, warnings = load_mirrors(file)

    assert [registry.name for registry in config.registries] == ["r.example"]
    assert len(warnings) == 1


def test_a_file_with_nothing_at_all_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "registries.yaml"
    file.write_text("configs: {r.example: }\n")

    with pytest.raises(Exception, match="the file has no registries"):
        load_mirrors(file)

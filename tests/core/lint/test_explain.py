"""Why a node pulls from where it does, as each release reads the same files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.containerd.fallback import on_failure
from fleet.core.failure import NodeError
from fleet.core.lint.explain import Explanation, explain, lookups
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import (
    Answer,
    ConfigFacts,
    DaemonFacts,
    NodeFacts,
    PathFacts,
    RancherFacts,
    UnitState,
)
from fleet.core.model.version import parse_version
from tests.support.build import release

CONFIG = "/etc/containerd/config.toml"
CRI = 'plugins."io.containerd.grpc.v1.cri".registry'
PATH = f'version = 2\n[{CRI}]\nconfig_path = "/c"\n'
FOLDER = "/c/docker.io"


def facts_of(version: str, files: dict[str, str]) -> NodeFacts:
    return NodeFacts(
        daemon=DaemonFacts(running_version=parse_version(version), unit=UnitState(started=100)),
        config=ConfigFacts(dump=Answer(files[CONFIG], 0)),
        paths=PathFacts(
            changed_at={CONFIG: 50},
            directories=frozenset(
                path.rpartition("/")[0] for path in files if path.startswith("/c/")
            ),
        ),
        files={path: ManagedFile(text.encode()) for path, text in files.items()},
    )


def told(version: str, files: dict[str, str], registry: str = "docker.io") -> Explanation:
    return explain(facts_of(version, files), registry)


def mirrors(name: str, *endpoints: str) -> str:
    return f'version = 2\n[{CRI}.mirrors."{name}"]\nendpoint = {list(endpoints)}\n'


def asks(found: Explanation) -> list[str]:
    return [each.asks for each in found.hosts]


HUB = "https://registry-1.docker.io/v2/"


@pytest.mark.parametrize(
    ("version", "config", "registry", "expected"),
    [
        pytest.param("1.4.13", mirrors("*", "https://m"), "docker.io", [HUB], id="preset in 1.4"),
        pytest.param(
            "1.6.20", mirrors("*", "https://m"), "docker.io", ["https://m/v2/", HUB], id="not later"
        ),
        pytest.param(
            "1.4.13", mirrors("r.io", "m", "https://r.io"), "r.io",
            ["https://m/v2/", "https://r.io/v2/"], id="upstream stands among the endpoints",
        ),
        pytest.param(
            "1.7.24", mirrors("r.io", "http://m/v2/r", "http://n/"), "r.io",
            ["http://m/v2/r/", "http://n/", "https://r.io/v2/"], id="paths as they are",
        ),
    ],
)  # fmt: skip
def test_legacy_mirrors_are_asked_as_that_release_does(
    version: str, config: str, registry: str, expected: list[str]
) -> None:
    assert asks(told(version, {CONFIG: config}, registry)) == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.5.18", "https://m/v2/x/v2/"), ("1.6.20", "https://m/v2/x/"), ("2.1.9", "https://m/v2/x/")],
)
def test_override_path_counts_from_the_release_that_knows_it(version: str, expected: str) -> None:
    hosts = '[host."https://m/v2/x"]\noverride_path = true\n'

    assert asks(told(version, {CONFIG: PATH, f"{FOLDER}/hosts.toml": hosts}))[0] == expected


@pytest.mark.parametrize("version", ["1.6.20", "2.1.9"])
def test_a_file_with_a_host_twice_is_ignored_whole_and_no_crash(version: str) -> None:
    hosts = '[host."https://m"]\n[host."https://m"]\n'

    found = told(version, {CONFIG: PATH, f"{FOLDER}/hosts.toml": hosts})

    assert (asks(found), found.hosts[0].where) == (
        [HUB],
        f"{FOLDER}/hosts.toml is ignored as a whole",
    )


PEM = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"


def test_a_certificate_that_is_not_there_fails_every_pull() -> None:
    hosts = '[host."https://m"]\nca = ["gone.crt", "here.crt"]\n'
    files = {CONFIG: PATH, f"{FOLDER}/hosts.toml": hosts, f"{FOLDER}/here.crt": PEM}

    said = [each for each in told("1.7.24", files).findings if "every pull fails" in each]

    assert [each.split()[0] for each in said] == [f"{FOLDER}/gone.crt"]


def test_certificates_without_a_hosts_toml_count_for_upstream() -> None:
    found = told("1.7.24", {CONFIG: PATH, f"{FOLDER}/ca.crt": PEM})

    assert found.hosts[0].note == "upstream, with ca.crt"


def test_a_login_of_the_config_is_named_and_not_shown() -> None:
    login = f'[{CRI}.configs."m:5000".auth]\nusername = "u"\npassword = "hunter2"\n'
    hosts = '[host."https://m:5000"]\n'

    found = told("1.7.24", {CONFIG: PATH + login, f"{FOLDER}/hosts.toml": hosts})

    assert found.hosts[0].note == "with credentials from config.toml"
    assert "hunter2" not in repr(found)


def test_the_other_name_of_docker_hub_is_the_same_registry() -> None:
    assert told("1.7.24", {CONFIG: PATH}, "index.docker.io").registry == "docker.io"


LOOKUPS = {
    "a name": ("1.7.24", "quay.io", ["quay.io", "_default"]),
    "a port": ("1.7.24", "r:5000", ["r_5000_", "r:5000", "_default"]),
    "before 1.6.17": ("1.6.16", "quay.io", ["quay.io"]),
}


@pytest.mark.parametrize(("version", "registry", "names"), LOOKUPS.values(), ids=list(LOOKUPS))
def test_the_folders_that_containerd_looks_for(
    version: str, registry: str, names: list[str]
) -> None:
    assert [*lookups(registry, release(version))] == names


def folders(version: str, *present: str, path: str = "/c") -> dict[str, str]:
    """Return the state of each folder of r:5000, where these are present."""
    config = PATH.replace('"/c"', f'"{path}"')
    files = {f"{folder}/hosts.toml": "" for folder in present}
    explanation = told(version, {CONFIG: config, **files}, "r:5000")
    return {folder.path: folder.state for folder in explanation.folders}


def test_the_first_folder_that_is_there_is_used() -> None:
    assert folders("1.7.24", "/c/r:5000", "/c/_default") == {
        "/c/r_5000_": "absent",
        "/c/r:5000": "used",
        "/c/_default": "shadowed",
    }


def test_every_directory_of_a_list_is_looked_through() -> None:
    states = folders("1.7.24", "/c/r:5000", path="/b:/c")

    assert [path for path, state in states.items() if state == "absent"] == [
        "/b/r_5000_",
        "/b/r:5000",
        "/b/_default",
        "/c/r_5000_",
        "/c/_default",
    ]
    assert states["/c/r:5000"] == "used"


def test_2_1_takes_a_list_for_one_name() -> None:
    assert list(folders("2.1.9", path="/b:/c")) == [
        "/b:/c/r_5000_",
        "/b:/c/r:5000",
        "/b:/c/_default",
    ]


def test_no_setting_at_all_leads_to_the_registry_itself() -> None:
    explanation = told("1.7.24", {CONFIG: "version = 2\n"}, "quay.io")

    assert (explanation.way, explanation.version) == ("nothing", "1.7.24")
    assert explanation.decides == f"{CONFIG}: neither config_path nor mirrors is set"
    assert asks(explanation) == ["https://quay.io/v2/"]


def test_the_line_that_decides_is_named() -> None:
    assert told("1.7.24", {CONFIG: PATH}).decides == f"{CONFIG}:3: config_path = /c"
    assert told("1.7.24", {CONFIG: mirrors("r.io", "https://m")}, "r.io").decides == (
        f"{CONFIG}:2: registry.mirrors.r.io"
    )


def test_a_registry_without_legacy_mirrors_is_decided_by_nothing() -> None:
    explanation = told("1.7.24", {CONFIG: mirrors("r.io", "https://m")}, "quay.io")

    assert explanation.decides == f"{CONFIG}: no settings for quay.io"
    assert asks(explanation) == ["https://quay.io/v2/"]


def test_a_registry_without_a_folder_is_asked_itself() -> None:
    (host,) = told("1.7.24", {CONFIG: PATH}).hosts

    assert (host.where, host.note, host.asks) == ("no folder for this registry", "upstream", HUB)


def test_hosts_are_asked_in_order_and_the_server_last() -> None:
    text = (
        'server = "https://s"\n[host."http://a:5000"]\ncapabilities = ["pull"]\n'
        'skip_verify = true\ndial_timeout = "1s"\n[host."https://b".header]\nX = "hunter2"\n'
    )

    first, second, server = told("2.1.9", {CONFIG: PATH, f"{FOLDER}/hosts.toml": text}).hosts

    assert (first.url, first.asks) == ("http://a:5000", "http://a:5000/v2/")
    assert (first.capabilities, first.where) == (("pull",), f"{FOLDER}/hosts.toml:2")
    assert first.note == "skip_verify, dial_timeout 1s"
    assert (second.url, second.note) == ("https://b", "header")
    assert second.capabilities == ("pull", "resolve", "push")
    assert (server.url, server.note) == ("https://s", "the server, tried last")
    assert server.where == f"{FOLDER}/hosts.toml:1"


def test_a_file_without_a_server_ends_at_the_registry() -> None:
    hosts = told("2.1.9", {CONFIG: PATH, f"{FOLDER}/hosts.toml": '[host."https://a"]\n'}).hosts

    assert (hosts[-1].url, hosts[-1].where) == (
        "https://registry-1.docker.io",
        f"{FOLDER}/hosts.toml has no server",
    )


def test_a_legacy_slash_at_the_end_is_noted() -> None:
    explanation = told("1.7.24", {CONFIG: mirrors("r.io", "http://m/")}, "r.io")

    assert explanation.hosts[0].note.startswith("the slash at its end leaves out /v2")


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("m", "https://m/v2/"),
        ("localhost:5000", "http://localhost:5000/v2/"),
        ("127.0.0.1", "http://127.0.0.1/v2/"),
    ],
)
def test_a_legacy_endpoint_without_a_scheme(endpoint: str, url: str) -> None:
    assert asks(told("1.7.24", {CONFIG: mirrors("r.io", endpoint)}, "r.io"))[0] == url


def test_an_edit_that_is_not_in_force_is_a_finding() -> None:
    facts = facts_of("1.7.24", {CONFIG: PATH})
    facts = replace(facts, paths=replace(facts.paths, changed_at={CONFIG: 200}))

    assert explain(facts, "docker.io").findings[0] == (
        f"{CONFIG} was edited after containerd started; not active until a restart"
    )


@pytest.mark.parametrize(
    ("owner", "source"),
    [("k3s", "/etc/r.yaml"), ("k0s", "its own files")],
)
def test_a_config_that_a_distribution_writes_is_a_finding(owner: str, source: str) -> None:
    facts = facts_of("1.7.24", {CONFIG: PATH})
    rancher = RancherFacts(registries=source if owner == "k3s" else "")
    facts = replace(facts, daemon=replace(facts.daemon, owner=owner, rancher=rancher))

    assert explain(facts, "docker.io").findings == (
        f"{owner} generates {CONFIG} from {source} at every start",
    )


def test_the_ways_of_a_failure_are_those_of_the_release() -> None:
    assert told("2.3.4", {CONFIG: PATH}).failures == tuple(on_failure(release("2.3.4")))


def test_a_node_without_containerd_cannot_be_explained() -> None:
    with pytest.raises(NodeError, match="containerd does not answer on this node"):
        explain(NodeFacts(), "docker.io")

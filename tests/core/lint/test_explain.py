"""Why a node pulls from where it does, as each release reads the same files."""

from __future__ import annotations

import pytest

from fleet.core.containerd.fallback import on_failure
from fleet.core.lint.explain import Explanation, explain
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import Answer, ConfigFacts, DaemonFacts, NodeFacts, PathFacts, UnitState
from fleet.core.model.version import parse_version

CONFIG = "/etc/containerd/config.toml"
CRI = 'plugins."io.containerd.grpc.v1.cri".registry'
PATH = f'version = 2\n[{CRI}]\nconfig_path = "/c"\n'
FOLDER = "/c/docker.io"


def told(version: str, files: dict[str, str], registry: str = "docker.io") -> Explanation:
    facts = NodeFacts(
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
    return explain(facts, registry)


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
        f"{FOLDER}/hosts.toml is ignored whole",
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

    assert found.hosts[0].note == "a login of config.toml"
    assert "hunter2" not in repr(found)


def test_the_other_name_of_docker_hub_is_the_same_registry() -> None:
    assert told("1.7.24", {CONFIG: PATH}, "index.docker.io").registry == "docker.io"


@pytest.mark.parametrize(
    ("version", "failure", "outcome"),
    [
        ("1.7.24", "connects and never answers", "it waits without end"),
        ("2.3.4", "connects and never answers", "the next host, after 30 s"),
        ("2.3.2", "says 403", "the next host"),
        ("2.3.4", "says 403", "asked once more by GET"),
        ("1.7.24", "drops packets", "the next host, after 30 s for"),
        ("2.1.9", "drops packets", "the next host, after its dial_timeout"),
        ("2.1.9", "says 408 or 429", "up to six"),
        ("2.3.4", "says 408 or 429", "up to five"),
    ],
)
def test_what_comes_after_a_failure_depends_on_the_release(
    version: str, failure: str, outcome: str
) -> None:
    known = parse_version(version)

    assert known is not None
    assert dict(on_failure(known))[failure].startswith(outcome)

"""The strategy for containerd 1.5 and newer: config_path, hosts.toml files, and the migration."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from fleet.core.containerd.config import CRI_1, IMAGES
from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.facts import Answer, NodeFacts
from fleet.core.model.mirror import Auth, Foreign, Mirror, Registry
from fleet.core.model.secret import Secret
from fleet.core.render.base import DesiredConfig, DesiredFiles
from fleet.core.render.certs_d import CertsD
from tests.support.build import CONFIG, facts_with, owning, registry

CERTS = "/etc/containerd/certs.d"
HOSTS = f"{CERTS}/docker.io/hosts.toml"
CRI = f'[plugins."{CRI_1}".registry]\n'
PATH = f'version = 2\n{CRI}  config_path = "{CERTS}"\n'
MIRRORS = (
    f'version = 2\n[plugins."{CRI_1}".registry.mirrors."quay.io"]\n  endpoint = ["https://q"]\n'
)
LOGIN = Mirror(url="https://m.test:5000", auth=Auth("robot", Secret("hunter2")))
HUB = registry("docker.io")


def offline(text: str | None, version: str = "1.7.24", **files: str) -> NodeFacts:
    """Return a node of files alone; a keyword is the hosts.toml of that registry."""
    texts = {f"{CERTS}/{name}/hosts.toml": content for name, content in files.items()}
    facts = facts_with({**texts, **({} if text is None else {CONFIG: text})}, version)
    return replace(facts, offline=True)


def online(text: str, dump: str, version: str = "1.7.24") -> NodeFacts:
    facts = facts_with({CONFIG: text}, version)
    return replace(facts, config=replace(facts.config, dump=Answer(dump, 0)))


def render(
    facts: NodeFacts, *registries: Registry, foreign: Foreign = Foreign.ADOPT
) -> DesiredFiles:
    return CertsD().render(facts, DesiredConfig(registries or (HUB,), False, foreign))


def table(desired: DesiredFiles, plugin: str = CRI_1) -> dict[str, Any]:
    data = tomllib.loads(desired.files[CONFIG].content.decode())
    registry_table: dict[str, Any] = data["plugins"][plugin]["registry"]
    return registry_table


def test_a_node_that_has_the_config_path_gets_hosts_files_alone() -> None:
    desired = render(offline(PATH))

    assert set(desired.files) == {HOSTS}
    assert (desired.hosts_directory, desired.config) == (CERTS, CONFIG)
    assert desired.notes == ()


NEW: dict[str, tuple[str | None, str, str]] = {
    "no config": (None, "1.7.24", CRI_1),
    "an empty config": ("", "1.7.24", CRI_1),
    "version 2": ("version = 2\n", "1.7.24", CRI_1),
    "version 2 on 2.x": ("version = 2\n", "2.1.9", CRI_1),
    "version 3": ("version = 3\n", "2.1.9", IMAGES),
    "no version on 1.x": ("oom_score = -999\n", "1.7.24", "cri"),
}


@pytest.mark.parametrize(("text", "version", "plugin"), NEW.values(), ids=list(NEW))
def test_the_config_path_goes_where_the_release_reads_it(
    text: str | None, version: str, plugin: str
) -> None:
    desired = render(offline(text, version))

    assert table(desired, plugin) == {"config_path": CERTS}
    assert set(desired.files) == {CONFIG, HOSTS}


DIRECTORIES = {
    "another directory": ("1.7.24", "/srv/certs", "/srv/certs", False),
    "a slash at its end": ("1.7.24", "/srv/certs/", "/srv/certs", False),
    "the first of a list": ("1.7.24", "/srv/a:/srv/b", "/srv/a", False),
    "the first of a list that 2.1 does not read": ("2.1.9", "/srv/a:/srv/b", "/srv/a", True),
    "a relative directory": ("1.7.24", "certs.d", CERTS, True),
    "the root": ("1.7.24", "/", CERTS, True),
}


@pytest.mark.parametrize(
    ("version", "current", "directory", "written"), DIRECTORIES.values(), ids=list(DIRECTORIES)
)
def test_the_directory_that_is_configured_is_used_if_it_is_read(
    version: str, current: str, directory: str, written: bool
) -> None:
    desired = render(offline(f'version = 2\n{CRI}  config_path = "{current}"\n', version))

    assert desired.hosts_directory == directory
    assert (CONFIG in desired.files) is written
    assert f"{directory}/docker.io/hosts.toml" in desired.files


def test_a_list_of_directories_is_noted() -> None:
    desired = render(offline(f'version = 2\n{CRI}  config_path = "/a:/b"\n'))

    assert desired.notes == (
        "config_path '/a:/b' names several directories; fleet writes to the first",
    )


def test_a_login_stays_in_the_config_which_is_private_then() -> None:
    desired = render(offline(PATH), registry("docker.io", mirrors=(LOGIN,)))

    assert table(desired)["configs"] == {
        "m.test:5000": {"auth": {"username": "robot", "password": "hunter2"}}
    }
    assert desired.files[CONFIG].mode == 0o600
    assert desired.legacy == ('configs."m.test:5000".auth',)
    assert b"hunter2" not in desired.files[HOSTS].content


def test_a_login_that_is_not_wanted_any_more_is_removed() -> None:
    text = f'{PATH}[plugins."{CRI_1}".registry.configs."old".auth]\n  username = "u"\n'
    facts = owning(offline(text), CONFIG, legacy=("configs.old.auth",))

    desired = render(facts)

    assert table(desired) == {"config_path": CERTS}
    assert desired.notes == ("configs.old.auth: no longer in mirrors.yaml, removed",)


def test_legacy_mirrors_become_hosts_files() -> None:
    desired = render(offline(MIRRORS))

    assert table(desired) == {"config_path": CERTS}
    assert set(desired.files) == {CONFIG, HOSTS, f"{CERTS}/quay.io/hosts.toml"}
    assert desired.unmanaged == {f"{CERTS}/quay.io/hosts.toml"}
    assert desired.notes[0] == "legacy settings move to certs.d (quay.io)"
    assert any(note.startswith("not in mirrors.yaml: quay.io;") for note in desired.notes)


def test_a_legacy_mirror_that_mirrors_yaml_names_is_replaced() -> None:
    desired = render(offline(MIRRORS), registry("quay.io", "https://m.test"))

    hosts = tomllib.loads(desired.files[f"{CERTS}/quay.io/hosts.toml"].content.decode())
    assert list(hosts["host"]) == ["https://m.test"]
    assert desired.unmanaged == frozenset()


def test_legacy_tls_settings_of_a_mirror_stay_with_it() -> None:
    tls = f'[plugins."{CRI_1}".registry.configs."m.test".tls]\n  ca_file = "/etc/m.pem"\n'

    desired = render(offline(f"{MIRRORS}{tls}"))

    hosts = tomllib.loads(desired.files[HOSTS].content.decode())
    assert hosts["host"]["https://m.test"]["ca"] == ["/etc/m.pem"]


def test_a_legacy_certificate_that_is_not_on_the_node_is_refused() -> None:
    tls = f'[plugins."{CRI_1}".registry.configs."m.test".tls]\n  ca_file = "/etc/m.pem"\n'
    facts = offline(f"{MIRRORS}{tls}")
    facts = replace(facts, config=replace(facts.config, certificates=frozenset()))

    with pytest.raises(NodeError, match=r"names /etc/m\.pem, which does not exist") as raised:
        render(facts)

    assert raised.value.failure.kind is FailureKind.CONFLICT


def test_a_hosts_file_of_others_is_kept() -> None:
    desired = render(offline(PATH, **{"docker.io": "server = 'x'\n"}), foreign=Foreign.KEEP)

    assert desired.files == {}
    assert desired.notes == (f"keeps {HOSTS}, which differs from what fleet wrote",)


def test_a_broken_hosts_file_of_another_registry_is_noted() -> None:
    desired = render(offline(PATH, **{"quay.io": "host = 5\n"}))

    assert ("hosts-refused", f"{CERTS}/quay.io/hosts.toml") in [
        (finding.code, finding.where) for finding in desired.findings
    ]


def test_a_config_that_switches_cri_off_is_refused() -> None:
    with pytest.raises(NodeError, match="so CRI is switched off"):
        render(offline('disabled_plugins = ["cri"]\n'))


def test_the_settings_that_the_daemon_should_read_are_named() -> None:
    assert render(offline("version = 2\n")).intended_registry == {"config_path": CERTS}


# -- the daemon's own view ------------------------------------------------------------------------


def test_a_daemon_that_reads_the_config_as_fleet_does() -> None:
    assert set(render(online(PATH, PATH)).files) == {HOSTS}


@pytest.mark.parametrize("version", ["1.7.24", "2.2.1"])
def test_a_daemon_that_reads_another_config_path_is_refused(version: str) -> None:
    dump = PATH.replace(CERTS, "/elsewhere")

    with pytest.raises(NodeError, match="containerd reads config_path '/elsewhere'") as raised:
        render(online(PATH, dump, version))

    assert raised.value.failure.kind is FailureKind.CONFLICT


def test_the_default_config_path_of_a_release_is_not_another_one() -> None:
    dump = (
        f"version = 3\n[plugins.'{IMAGES}'.registry]\n"
        f"  config_path = '{CERTS}:/etc/docker/certs.d'\n"
    )

    assert CONFIG in render(online("version = 3\n", dump, "2.2.1")).files


def test_a_daemon_that_reads_another_login_is_refused_without_showing_it() -> None:
    login = f'[plugins."{CRI_1}".registry.configs."h".auth]\n  password = "hunter2"\n'

    with pytest.raises(NodeError, match=r"containerd reads other values of configs\.h") as raised:
        render(online(f"{PATH}{login}", PATH))

    assert "hunter2" not in raised.value.failure.message

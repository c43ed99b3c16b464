"""The strategy for MicroK8s and Canonical Kubernetes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.containerd.config import CRI_1, IMAGES
from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.facts import Answer, NodeFacts
from fleet.core.model.mirror import Auth, Foreign, Mirror, Registry
from fleet.core.model.paths import Kind, PathEntry
from fleet.core.model.secret import Secret
from fleet.core.render.base import DesiredConfig, DesiredFiles
from fleet.core.render.snap import Snap
from tests.support.build import facts_with, owned_by, registry

MICROK8S_FOLDER = "/var/snap/microk8s/current/args/certs.d"
STRICT = "/var/snap/k8s/common/etc/containerd/hosts.d"
CLASSIC = "/etc/containerd/hosts.d"


def node(owner: str, setting: str = "", version: str = "1.7.24", **files: str) -> NodeFacts:
    """Return the facts of a node whose containerd reads this config_path."""
    facts = owned_by(facts_with(files, version), owner)
    table = f'plugins."{IMAGES if version.startswith("2") else CRI_1}".registry'
    dump = f"version = 2\n[{table}]\nconfig_path = '{setting}'\n"
    return replace(facts, config=replace(facts.config, dump=Answer(dump, 0)))


MICROK8S = node("microk8s", MICROK8S_FOLDER)


def render(
    facts: NodeFacts, *registries: Registry, foreign: Foreign = Foreign.ADOPT
) -> DesiredFiles:
    return Snap().render(facts, DesiredConfig(registries, False, foreign))


@pytest.mark.parametrize(
    ("owner", "folder"),
    [
        pytest.param("microk8s", MICROK8S_FOLDER, id="MicroK8s"),
        pytest.param("canonical-k8s", CLASSIC, id="classic"),
        pytest.param("canonical-k8s", STRICT, id="strict"),
        pytest.param("canonical-k8s", "/ck8s/etc/containerd/hosts.d", id="a base folder"),
    ],
)
def test_only_hosts_files_are_written_into_the_folder_that_the_daemon_reads(
    owner: str, folder: str
) -> None:
    desired = render(node(owner, folder, "2.1.9"), registry("docker.io"))

    assert set(desired.files) == {f"{folder}/docker.io/hosts.toml"}
    assert desired.hosts_directory == folder
    assert desired.notes == (f"{owner} has config_path preset to {folder}",)


@pytest.mark.parametrize(
    ("owner", "directories", "folder"),
    [
        ("microk8s", [], MICROK8S_FOLDER),
        ("canonical-k8s", [], CLASSIC),
        ("canonical-k8s", [STRICT], STRICT),
    ],
)
def test_the_folder_is_known_without_a_daemon(
    owner: str, directories: list[str], folder: str
) -> None:
    facts = replace(owned_by(facts_with({}, directories=directories), owner), offline=True)

    assert render(facts, registry("docker.io")).hosts_directory == folder


def test_the_path_of_a_release_is_written_by_its_lasting_name() -> None:
    facts = node("microk8s", "/var/snap/microk8s/6743/args/certs.d")
    current = PathEntry(
        kind=Kind.LINK, device=1, inode=1, links=1, size=4, mode=0o777, changed_at=0,
        target="6743", real="/var/snap/microk8s/6743", leads=(1, 2),
    )  # fmt: skip
    paths = replace(facts.paths, entries={"/var/snap/microk8s/current": current})

    desired = render(replace(facts, paths=paths), registry("docker.io"))

    assert desired.hosts_directory == MICROK8S_FOLDER


UNREAD = {
    "no config_path": ("", "1.7.24", "config_path in /etc/containerd/config.toml is not set"),
    "a list that 2.1 does not read": (
        f"{CLASSIC}:/etc/docker/certs.d",
        "2.1.9",
        f"is '{CLASSIC}:/etc/docker/certs.d', which this release does not read",
    ),
}


@pytest.mark.parametrize(("setting", "version", "words"), UNREAD.values(), ids=UNREAD)
def test_a_folder_that_the_daemon_does_not_read_is_refused(
    setting: str, version: str, words: str
) -> None:
    with pytest.raises(NodeError) as raised:
        render(node("canonical-k8s", setting, version), registry("docker.io"))

    assert raised.value.failure.kind is FailureKind.CONFLICT
    assert words in raised.value.failure.message
    assert "restart snap.k8s.containerd" in raised.value.failure.remedy


def test_a_list_is_read_by_older_releases() -> None:
    desired = render(node("canonical-k8s", f"{CLASSIC}:/b", "1.7.24"), registry("docker.io"))

    assert desired.hosts_directory == CLASSIC


def test_a_config_that_the_daemon_has_not_read_yet_is_refused() -> None:
    facts = node("canonical-k8s", CLASSIC)
    unit = replace(facts.daemon.unit, started=10)
    edited = replace(
        facts,
        daemon=replace(facts.daemon, unit=unit),
        paths=replace(facts.paths, changed_at={facts.config.path: 20}),
    )

    with pytest.raises(NodeError, match="was edited after containerd started"):
        render(edited, registry("docker.io"))


def test_no_setting_of_a_config_is_owned() -> None:
    desired = render(MICROK8S, registry("docker.io"))

    assert (desired.legacy, desired.config, desired.intended_registry) == ((), None, None)


def test_credentials_cannot_be_written_and_are_not_shown() -> None:
    login = Mirror(url="https://m.test", auth=Auth("robot", Secret("hunter2")))

    with pytest.raises(NodeError) as raised:
        render(MICROK8S, registry("docker.io", mirrors=(login,)))

    assert raised.value.failure.kind is FailureKind.UNSUPPORTED
    assert "credentials for m.test" in raised.value.failure.message
    assert "hunter2" not in raised.value.failure.message


def test_a_file_of_others_is_kept_with_a_note() -> None:
    path = f"{MICROK8S_FOLDER}/docker.io/hosts.toml"
    facts = node("microk8s", MICROK8S_FOLDER, **{path: ""})

    desired = render(facts, registry("docker.io"), foreign=Foreign.KEEP)

    assert desired.files == {}
    assert f"keeps {path}, which differs from what fleet wrote" in desired.notes


def test_a_broken_file_of_another_registry_is_noted() -> None:
    path = f"{MICROK8S_FOLDER}/quay.io/hosts.toml"
    facts = node("microk8s", MICROK8S_FOLDER, **{path: "host = 5\n"})

    desired = render(facts, registry("docker.io"))

    assert ("hosts-refused", path) in [(found.code, found.where) for found in desired.findings]

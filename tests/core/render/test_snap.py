"""The strategy for MicroK8s and Canonical Kubernetes."""

from __future__ import annotations

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Auth, Foreign, Mirror, Registry
from fleet.core.model.secret import Secret
from fleet.core.render.base import DesiredConfig, DesiredFiles
from fleet.core.render.snap import Snap
from tests.support.build import facts_with, owned_by, registry

FOLDERS = {
    "microk8s": "/var/snap/microk8s/current/args/certs.d",
    "canonical-k8s": "/var/snap/k8s/common/etc/containerd/hosts.d",
}
MICROK8S = owned_by(facts_with({}), "microk8s")


def render(
    facts: NodeFacts, *registries: Registry, foreign: Foreign = Foreign.ADOPT
) -> DesiredFiles:
    return Snap().render(facts, DesiredConfig(registries, False, foreign))


@pytest.mark.parametrize(("owner", "folder"), FOLDERS.items(), ids=list(FOLDERS))
def test_only_hosts_files_are_written_into_the_snaps_folder(owner: str, folder: str) -> None:
    desired = render(owned_by(facts_with({}), owner), registry("docker.io"))

    assert set(desired.files) == {f"{folder}/docker.io/hosts.toml"}
    assert desired.hosts_directory == folder
    assert desired.notes == (f"{owner} has config_path preset to {folder}",)


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
    path = f"{FOLDERS['microk8s']}/docker.io/hosts.toml"
    facts = owned_by(facts_with({path: ""}), "microk8s")

    desired = render(facts, registry("docker.io"), foreign=Foreign.KEEP)

    assert desired.files == {}
    assert f"keeps {path}, which differs from what fleet wrote" in desired.notes


def test_a_broken_file_of_another_registry_is_noted() -> None:
    path = f"{FOLDERS['microk8s']}/quay.io/hosts.toml"
    facts = owned_by(facts_with({path: "host = 5\n"}), "microk8s")

    desired = render(facts, registry("docker.io"))

    assert ("hosts-refused", path) in [(found.code, found.where) for found in desired.findings]

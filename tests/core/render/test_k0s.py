"""The strategy for k0s: a drop-in, and the folder that it names."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from fleet.core.containerd.config import CRI_1, IMAGES
from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.mirror import Auth, Mirror, Registry
from fleet.core.model.secret import Secret
from fleet.core.render.base import DesiredConfig, DesiredFiles
from fleet.core.render.k0s import CERTS_D, CONFIG, DROP_IN, FOLDER, K0s
from tests.support.build import facts_with, owned_by, registry

MARK = "# k0s_managed=true\n"
LOGIN = Mirror(url="https://m.test", auth=Auth("robot", Secret("hunter2")))


def render(*registries: Registry, version: str = "1.7.24", **files: str) -> DesiredFiles:
    """Render for a node; a keyword is the text of that drop-in."""
    texts = {f"{FOLDER}{name}.toml": text for name, text in files.items()}
    facts = owned_by(facts_with({CONFIG: MARK, **texts}, version), "k0s")
    return K0s().render(facts, DesiredConfig(registries or (registry("docker.io"),)))


def drop_in(desired: DesiredFiles) -> dict[str, Any]:
    return tomllib.loads(desired.files[DROP_IN].content.decode())


@pytest.mark.parametrize(
    ("version", "config_version", "plugin"), [("1.7.24", 2, CRI_1), ("2.0.0", 3, IMAGES)]
)
def test_the_drop_in_is_of_the_version_that_k0s_reads(
    version: str, config_version: int, plugin: str
) -> None:
    assert drop_in(render(version=version)) == {
        "version": config_version,
        "plugins": {plugin: {"registry": {"config_path": CERTS_D}}},
    }


def test_the_hosts_files_are_in_the_folder_that_the_drop_in_names() -> None:
    desired = render()

    assert set(desired.files) == {DROP_IN, f"{CERTS_D}/docker.io/hosts.toml"}
    assert desired.hosts_directory == CERTS_D


def test_k0s_restarts_containerd_by_itself() -> None:
    assert render().notes[0] == (
        f"{DROP_IN}: k0s watches this folder and restarts containerd by itself"
    )


def test_a_login_makes_the_drop_in_private() -> None:
    desired = render(registry("docker.io", mirrors=(LOGIN,)))

    registry_table = drop_in(desired)["plugins"][CRI_1]["registry"]
    assert registry_table["configs"] == {
        "m.test": {"auth": {"username": "robot", "password": "hunter2"}}
    }
    assert desired.files[DROP_IN].mode == 0o600
    assert desired.legacy == ('configs."m.test".auth',)


OTHER = f'version = 2\n[plugins."{CRI_1}".registry]\n'


def test_a_folder_that_another_drop_in_names_is_used_without_one_of_fleet() -> None:
    desired = render(other=f'{OTHER}config_path = "/srv/certs.d/"\n')

    assert set(desired.files) == {"/srv/certs.d/docker.io/hosts.toml"}
    assert desired.hosts_directory == "/srv/certs.d"


def test_a_login_goes_into_a_drop_in_beside_the_folder_of_another() -> None:
    desired = render(
        registry("docker.io", mirrors=(LOGIN,)), other=f'{OTHER}config_path = "/srv/certs.d"\n'
    )

    assert set(drop_in(desired)["plugins"][CRI_1]["registry"]) == {"configs"}


def test_the_folder_of_the_last_drop_in_counts() -> None:
    desired = render(a=f'{OTHER}config_path = "/srv/b"\n', z=f'{OTHER}config_path = "/srv/a"\n')
    other_way = render(a=f'{OTHER}config_path = "/srv/a"\n', z=f'{OTHER}config_path = "/srv/b"\n')

    assert (desired.hosts_directory, other_way.hosts_directory) == ("/srv/a", "/srv/b")


def test_the_first_of_several_directories_is_used() -> None:
    assert render(other=f'{OTHER}config_path = "/a:/b"\n').hosts_directory == "/a"


CONFLICTS = {
    "mirrors": (
        "1.7.24",
        f'{OTHER}mirrors.r.endpoint = ["https://a"]\n',
        "both registry.mirrors and config_path",
    ),
    "mirrors under the new name": (
        "2.1.9",
        f'version = 3\n[plugins."{IMAGES}".registry.mirrors.r]\nendpoint = ["https://a"]\n',
        "both registry.mirrors and config_path",
    ),
    "a list of directories on 2.1": (
        "2.1.9",
        f'{OTHER}config_path = "/a:/b"\n',
        "config_path names several directories",
    ),
}


@pytest.mark.parametrize(("version", "text", "words"), CONFLICTS.values(), ids=list(CONFLICTS))
def test_a_conflict_in_another_drop_in_is_refused(version: str, text: str, words: str) -> None:
    with pytest.raises(NodeError, match=words) as raised:
        render(version=version, other=text)

    assert raised.value.failure.kind is FailureKind.CONFLICT
    assert f"{FOLDER}other.toml" in raised.value.failure.message


def test_fleets_own_drop_in_is_not_another() -> None:
    assert DROP_IN in render(fleet=f'{OTHER}config_path = "/old"\n').files


WAKING = {
    "no drop-in yet": ({}, ["wakes"]),
    "fleet's own drop-in": ({DROP_IN: ""}, []),
    "another drop-in": ({f"{FOLDER}other.toml": f'{OTHER}config_path = "{CERTS_D}"\n'}, []),
}


@pytest.mark.parametrize(("files", "codes"), WAKING.values(), ids=list(WAKING))
def test_a_folder_that_comes_into_use_with_the_drop_in_is_noted(
    files: dict[str, str], codes: list[str]
) -> None:
    node = facts_with({CONFIG: MARK, **files}, directories=[f"{CERTS_D}/quay.io"])

    desired = K0s().render(owned_by(node, "k0s"), DesiredConfig((registry("docker.io"),)))

    assert [finding.code for finding in desired.findings] == codes


@pytest.mark.parametrize("text", ["version = 2\n", "", "# mine\n# k0s_managed=true\n"])
def test_a_config_that_k0s_does_not_manage_is_refused(text: str) -> None:
    facts = owned_by(facts_with({CONFIG: text}), "k0s")

    with pytest.raises(NodeError, match="k0s does not manage it and does not read drop-ins"):
        K0s().render(facts, DesiredConfig((registry("docker.io"),)))


def test_a_config_that_is_not_there_yet_is_k0s_s() -> None:
    facts = owned_by(facts_with({}), "k0s")

    assert DROP_IN in K0s().render(facts, DesiredConfig((registry("docker.io"),))).files

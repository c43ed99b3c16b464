"""The folders of hosts.toml files: names, files of others, and certificates that stay in use."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from fleet.core.failure import NodeError
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Auth, Foreign, Mirror, Registry
from fleet.core.model.secret import Secret
from fleet.core.render.hosts_folder import hosts_folder_files, is_foreign, registry_folder
from tests.support.build import facts_with, owning, registry

CERTS = "/etc/containerd/certs.d"
HOSTS = f"{CERTS}/docker.io/hosts.toml"
HUB = registry("docker.io")


def paths(facts: NodeFacts, foreign: Foreign = Foreign.ADOPT, directory: str = CERTS) -> list[str]:
    return sorted(hosts_folder_files((HUB,), directory, facts, foreign)[0])


def document(facts: NodeFacts, **settings: Any) -> dict[str, Any]:
    files, _ = hosts_folder_files((registry("r", **settings),), CERTS, facts, Foreign.ADOPT)
    return tomllib.loads(files[f"{CERTS}/r/hosts.toml"].content.decode())


def test_each_registry_has_a_hosts_toml_in_its_folder() -> None:
    files, notes = hosts_folder_files(
        (HUB, registry("quay.io")), CERTS, facts_with({}), Foreign.ADOPT
    )

    assert set(files) == {HOSTS, f"{CERTS}/quay.io/hosts.toml"}
    assert notes == []


@pytest.mark.parametrize("directory", ["relative", "/etc/a b*", "/etc/\udce9"])
def test_a_directory_that_is_not_plain_is_refused(directory: str) -> None:
    with pytest.raises(NodeError, match="fleet does not write to config_path"):
        paths(facts_with({}), directory=directory)


@pytest.mark.parametrize("foreign", Foreign)
def test_a_file_of_others_is_kept_only_with_keep(foreign: Foreign) -> None:
    facts = facts_with({HOSTS: "theirs"})

    files, notes = hosts_folder_files((HUB,), CERTS, facts, foreign)

    kept = foreign is Foreign.KEEP
    assert (HOSTS in files) is not kept
    assert notes == [f"keeps {HOSTS}, which differs from what fleet wrote"] * kept


def test_keep_writes_the_files_of_fleet_and_missing_ones() -> None:
    assert paths(owning(facts_with({HOSTS: "ours"}), HOSTS), Foreign.KEEP) == [HOSTS]
    assert paths(facts_with({}), Foreign.KEEP) == [HOSTS]


def test_overwrite_notes_the_folders_that_it_leaves() -> None:
    odd = f"{CERTS}/*.test/hosts.toml"

    _, notes = hosts_folder_files((HUB,), CERTS, facts_with({odd: ""}), Foreign.OVERWRITE)

    assert notes == [f"leaves {odd!r}, which no registry uses"]


def test_a_file_is_foreign_if_fleet_did_not_write_it_as_it_is() -> None:
    ours = owning(facts_with({HOSTS: "ours"}), HOSTS)

    assert is_foreign(facts_with({HOSTS: "theirs"}), HOSTS)
    assert not is_foreign(ours, HOSTS)
    assert not is_foreign(facts_with({}), HOSTS)


FOLDERS = {
    "a name": ("docker.io", [], "docker.io"),
    "a port": ("r:5000", [], "r:5000"),
    "a port with its other folder": ("r:5000", ["r_5000_"], "r_5000_"),
    "a port with both folders": ("r:5000", ["r:5000", "r_5000_"], "r_5000_"),
    "a name that ends alike": ("r", ["r_5000_"], "r"),
}


@pytest.mark.parametrize(("name", "present", "folder"), FOLDERS.values(), ids=list(FOLDERS))
def test_the_folder_that_a_node_looks_up_first(name: str, present: list[str], folder: str) -> None:
    facts = facts_with({}, directories=[f"{CERTS}/{item}" for item in present])

    assert registry_folder(CERTS, name, facts) == f"{CERTS}/{folder}"


CERTIFICATES = {
    f"{CERTS}/r/ca.crt": "",
    f"{CERTS}/r/client.cert": "",
    f"{CERTS}/r/client.key": "",
    f"{CERTS}/r/alone.cert": "",
}


def test_certificates_in_dockers_manner_stay_in_use_for_upstream() -> None:
    data = document(facts_with(CERTIFICATES))

    assert data["ca"] == [f"{CERTS}/r/ca.crt"]
    assert data["client"] == [[f"{CERTS}/r/client.cert", f"{CERTS}/r/client.key"]]


def test_certificates_of_another_folder_are_not_used() -> None:
    assert "ca" not in document(facts_with({f"{CERTS}/quay.io/ca.crt": ""}))


def test_certificates_beside_a_hosts_toml_of_others_are_not_in_use() -> None:
    assert "ca" not in document(facts_with({**CERTIFICATES, f"{CERTS}/r/hosts.toml": "x = 1"}))


def test_certificates_beside_a_hosts_toml_of_fleet_stay_in_use() -> None:
    path = f"{CERTS}/r/hosts.toml"

    assert "ca" in document(owning(facts_with({**CERTIFICATES, path: "x = 1"}), path))


def test_settings_of_an_upstream_stay_beside_the_certificates() -> None:
    data = document(facts_with(CERTIFICATES), upstream=Mirror(url="https://r", skip_verify=True))

    assert (data["skip_verify"], data["ca"]) == (True, [f"{CERTS}/r/ca.crt"])


def test_the_wildcard_has_no_server_for_certificates() -> None:
    facts = facts_with({f"{CERTS}/_default/ca.crt": ""})

    files, _ = hosts_folder_files((registry("_default"),), CERTS, facts, Foreign.ADOPT)

    data = tomllib.loads(files[f"{CERTS}/_default/hosts.toml"].content.decode())
    assert list(data) == ["host"]


OWN = "https://r"
LOGIN = Auth("u", Secret("p"))


@pytest.mark.parametrize(
    ("upstream", "written"),
    [
        pytest.param(None, False, id="nothing at all"),
        pytest.param(Mirror(url=OWN, auth=LOGIN), False, id="a login, which is in config.toml"),
        pytest.param(Mirror(url=OWN, skip_verify=True), True, id="TLS"),
        pytest.param(Mirror(url=OWN), True, id="no setting, unlike every other host"),
    ],
)
def test_a_registry_without_mirrors_has_a_folder_if_its_host_needs_one(
    upstream: Mirror | None, written: bool
) -> None:
    alone = Registry(name="r", server=OWN, mirrors=(), upstream=upstream)

    files, _ = hosts_folder_files((alone,), CERTS, facts_with({}), Foreign.ADOPT)

    assert list(files) == ([f"{CERTS}/r/hosts.toml"] if written else [])

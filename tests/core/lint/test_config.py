"""Conflicts of a node's config files: every code, where it is found, and on which releases."""

from __future__ import annotations

import pytest

from fleet.core.containerd.config import CRI_1, IMAGES
from fleet.core.containerd.imports import ConfigView, config_view
from fleet.core.lint.config import foreign_hosts, lint, pulls_locally, reads_lists
from fleet.core.model.finding import Finding, FindingEffect
from tests.support.build import CONFIG, facts_with, release

CRI = f'[plugins."{CRI_1}".registry]'
NEW_CRI = f'[plugins."{IMAGES}".registry]'
MIRRORS = f'[plugins."{CRI_1}".registry.mirrors."quay.io"]\nendpoint = ["https://m"]\n'
TLS = f'[plugins."{CRI_1}".registry.configs."m".tls]\nca_file = "/c"\n'
PATH = f'{CRI}\nconfig_path = "/etc/containerd/certs.d"\n'
IMPORT = 'imports = ["/etc/containerd/conf.d/a.toml"]\n'


def view(version: str, root: str, imported: str | None = None) -> ConfigView:
    files = {CONFIG: root}
    if imported is not None:
        files["/etc/containerd/conf.d/a.toml"] = imported
    return config_view(facts_with(files, version), release(version), "")


def findings(version: str, root: str, imported: str | None = None) -> list[Finding]:
    return [*lint(view(version, root, imported), facts_with({}, version))]


def shown(found: list[Finding]) -> list[tuple[str, str, bool]]:
    """Return the code, the effect and whether CRI cannot load, of each finding."""
    return [(finding.code, finding.effect.value, finding.stops_cri) for finding in found]


V2 = "version = 2\n"
CASES: dict[str, tuple[str, str, list[tuple[str, str, bool]]]] = {
    "an empty file": ("1.7.24", "", []),
    "config_path alone": ("1.7.24", V2 + PATH, []),
    "CRI is disabled by its short name": (
        "1.7.24",
        'disabled_plugins = ["cri"]\n',
        [("cri-disabled", "refuses", False)],
    ),
    "CRI is disabled by its short name on 2.1": (
        "2.1.9",
        'disabled_plugins = ["cri"]\n',
        [("cri-disabled", "refuses", False)],
    ),
    "CRI is disabled by its short name on 2.3": (
        "2.3.4",
        'disabled_plugins = ["cri"]\n',
        [("cri-disabled", "refuses", False)],
    ),
    "CRI is disabled by its name": (
        "1.7.24",
        f'version = 2\ndisabled_plugins = ["{CRI_1}"]\n',
        [("cri-disabled", "refuses", False)],
    ),
    "another plugin is disabled": (
        "1.7.24",
        'version = 2\ndisabled_plugins = ["io.containerd.snapshotter.v1.zfs"]\n',
        [],
    ),
    "mirrors alone": ("1.7.24", V2 + MIRRORS, [("legacy", "heals", False)]),
    "mirrors beside config_path": (
        "1.7.24",
        V2 + PATH + MIRRORS,
        [("legacy-beside-config-path", "heals", True)],
    ),
    "mirrors beside config_path on 2.x": (
        "2.1.9",
        V2 + PATH + MIRRORS,
        [("legacy-beside-config-path", "heals", True)],
    ),
    "mirrors alone on 2.2.1": (
        "2.2.1",
        V2 + MIRRORS,
        [("legacy-beside-config-path", "heals", True)],
    ),
    "mirrors alone on 2.2.2": ("2.2.2", V2 + MIRRORS, [("legacy", "heals", False)]),
    "mirrors on 1.4, which knows nothing else": ("1.4.13", V2 + MIRRORS, []),
    "empty mirrors": ("1.7.24", f'{V2}{PATH}[plugins."{CRI_1}".registry.mirrors]\n', []),
    "TLS beside config_path": (
        "1.7.24",
        V2 + PATH + TLS,
        [("legacy-beside-config-path", "heals", True)],
    ),
    "TLS beside config_path on 2.x": ("2.1.9", V2 + PATH + TLS, [("legacy", "heals", False)]),
    "a list of directories on 2.0": ("2.0.11", f'{V2}{CRI}\nconfig_path = "/a:/b"\n', []),
    "a list of directories on 2.1": (
        "2.1.9",
        f'{V2}{CRI}\nconfig_path = "/a:/b"\n',
        [("config-path-list", "heals", False)],
    ),
    "the table of version 3 on 1.x": (
        "1.7.24",
        f'{V2}{NEW_CRI}\nconfig_path = "/a"\n',
        [("wrong-table", "notes", False)],
    ),
    "the table of version 2 in version 3": (
        "2.1.9",
        f'version = 3\n{CRI}\nconfig_path = "/a"\n',
        [("wrong-table", "notes", False)],
    ),
    "plugins in capitals": (
        "2.1.9",
        f'{V2}[Plugins."{CRI_1}".registry]\n',
        [("wrong-table", "refuses", False)],
    ),
    "both names of CRI's table on 2.3": (
        "2.3.4",
        f'[plugins.cri.registry]\nconfig_path = "/a"\n{PATH}',
        [("mixed-names", "refuses", False)],
    ),
}


@pytest.mark.parametrize(("version", "text", "expected"), CASES.values(), ids=list(CASES))
def test_the_conflicts_of_one_file(
    version: str, text: str, expected: list[tuple[str, str, bool]]
) -> None:
    assert shown(findings(version, text)) == expected


VERSIONS: dict[str, tuple[str, str, str, int]] = {
    "the same version": ("2.1.9", V2, V2, 0),
    "a newer import": ("2.1.9", V2, "version = 3\n", 1),
    "a newer import on 2.3": ("2.3.4", V2, "version = 3\n", 1),
    "an older import": ("2.1.9", "version = 3\n", V2, 0),
    "an import without a version": ("2.1.9", "version = 3\n", "", 0),
    "a root without a version takes the import's": ("2.1.9", "", "version = 3\n", 0),
    "version 1 counts as none up to 2.2": ("2.1.9", "version = 1\n", V2, 0),
    "version 1 counts on 2.3": ("2.3.4", "version = 1\n", V2, 1),
    "1.x takes any": ("1.7.24", "version = 1\n", V2, 0),
}


@pytest.mark.parametrize(
    ("version", "root", "imported", "count"), VERSIONS.values(), ids=list(VERSIONS)
)
def test_an_import_of_a_newer_version_takes_the_roots_cri_settings(
    version: str, root: str, imported: str, count: int
) -> None:
    found = findings(version, IMPORT + root, imported)

    mixed = [finding for finding in found if finding.code == "mixed-versions"]
    assert len(mixed) == count
    assert all(finding.stops_cri for finding in mixed)
    assert all(finding.where == "/etc/containerd/conf.d/a.toml:1" for finding in mixed)


def test_a_finding_names_the_file_and_the_line() -> None:
    (finding,) = findings("1.7.24", V2 + PATH + MIRRORS)

    assert finding.where == f"{CONFIG}:4"
    assert finding.message.startswith("mirrors beside config_path: CRI does not load")


def test_a_finding_in_an_import_names_the_import() -> None:
    (finding,) = findings("2.1.9", V2 + IMPORT, V2 + MIRRORS)

    assert finding.where == "/etc/containerd/conf.d/a.toml:2"


def test_a_refused_form_is_found_first() -> None:
    found = findings("1.7.24", f'{V2}disabled_plugins = ["{CRI_1}"]\n{CRI}\nconfig_path = 5\n')

    assert [finding.code for finding in found][:2] == ["refused-config", "cri-disabled"]


HOSTS = "/etc/containerd/certs.d/docker.io/hosts.toml"


@pytest.mark.parametrize(
    ("version", "path", "codes"),
    [
        ("2.2.0", HOSTS, ["config-path-default"]),
        ("2.2.0", "/etc/docker/certs.d/docker.io/hosts.toml", ["config-path-default"]),
        ("2.1.9", HOSTS, []),
        ("2.2.0", "/srv/certs.d/docker.io/hosts.toml", []),
    ],
    ids=["2.2", "Docker's folder", "2.1", "another folder"],
)
def test_files_in_the_default_folders_are_not_read(
    version: str, path: str, codes: list[str]
) -> None:
    facts = facts_with({CONFIG: V2, path: ""}, version)

    found = lint(config_view(facts, release(version), ""), facts)

    assert [finding.code for finding in found] == codes


@pytest.mark.parametrize(
    ("names", "hidden"),
    [
        (("r:5000", "r_5000_"), ["r:5000"]),
        (("r:5000",), []),
        (("r_5000_",), []),
        (("r:x", "r_x_"), []),
        (("docker.io", "quay.io"), []),
    ],
    ids=["both", "with a colon", "with underscores", "no port", "no port at all"],
)
def test_a_folder_with_a_port_is_hidden_by_its_other_name(
    names: tuple[str, ...], hidden: list[str]
) -> None:
    folders = [f"/etc/containerd/certs.d/{name}" for name in names]
    facts = facts_with({CONFIG: V2}, directories=folders)

    found = lint(config_view(facts, release("1.7.24"), ""), facts)

    shadowed = [finding.where for finding in found if finding.code == "shadowed-folder"]
    assert shadowed == [f"/etc/containerd/certs.d/{name}" for name in hidden]


IMAGES_2 = f'[plugins."{CRI_1}"]\n'
LOCAL = {
    "nothing": ("", False),
    "mirrors": (MIRRORS, True),
    "a login": (f'[plugins."{CRI_1}".registry.configs."h".auth]\nusername = "u"\n', True),
    "the old table of logins": (f'[plugins."{CRI_1}".registry.auths."h"]\nauth = "u"\n', True),
    "local pulls": (f'version = 3\n[plugins."{IMAGES}"]\nuse_local_image_pull = true\n', True),
    "no local pulls": (f'version = 3\n[plugins."{IMAGES}"]\nuse_local_image_pull = false\n', False),
    "discarded layers": (
        f'version = 3\n[plugins."{IMAGES}"]\ndiscard_unpacked_layers = true\n',
        True,
    ),
    "annotations of snapshots": (
        f'version = 3\n[plugins."{IMAGES}"]\ndisable_snapshot_annotations = false\n',
        True,
    ),
    "no annotations": (
        f'version = 3\n[plugins."{IMAGES}"]\ndisable_snapshot_annotations = true\n',
        False,
    ),
    "the default number of downloads": (f"{IMAGES_2}max_concurrent_downloads = 3\n", False),
    "another number of downloads": (f"{IMAGES_2}max_concurrent_downloads = 5\n", True),
}


@pytest.mark.parametrize(("text", "local"), LOCAL.values(), ids=list(LOCAL))
def test_settings_that_keep_2_1_from_the_transfer_service(text: str, local: bool) -> None:
    config = view("2.1.9", text if text.startswith("version") else V2 + text)

    assert pulls_locally(config) is local
    assert reads_lists(config) is local


def test_releases_before_2_1_split_a_list_of_directories() -> None:
    assert reads_lists(view("2.0.11", V2))


@pytest.mark.parametrize(
    ("managed", "effect"),
    [(frozenset({HOSTS}), FindingEffect.HEALS), (frozenset(), FindingEffect.NOTES)],
    ids=["ours", "foreign"],
)
def test_a_broken_hosts_toml_heals_if_fleet_rewrites_it(
    managed: frozenset[str], effect: FindingEffect
) -> None:
    facts = facts_with({HOSTS: "server = 5\n", CONFIG: "server = 5\n"})

    (finding,) = foreign_hosts(facts, release("1.7.32"), managed)

    assert (finding.code, finding.effect, finding.where) == ("hosts-refused", effect, HOSTS)

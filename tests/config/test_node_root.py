"""A node's files in a local folder: what a plan needs is read, and no link leads out of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fleet.config.node_root import NodeRoot, read_root
from fleet.core.model.paths import Kind

CONFIG = "/etc/containerd/config.toml"


def put(root: Path, path: str, text: str = "", mode: int = 0o644) -> Path:
    """Write a node's file into its folder."""
    local = root / path.lstrip("/")
    local.parent.mkdir(parents=True, exist_ok=True)
    local.write_text(text)
    local.chmod(mode)
    return local


def link(root: Path, path: str, target: str) -> None:
    local = root / path.lstrip("/")
    local.parent.mkdir(parents=True, exist_ok=True)
    local.symlink_to(target)


def contents(root: NodeRoot) -> dict[str, str]:
    return {path: file.content.decode() for path, file in root.files.items()}


def test_an_empty_folder_is_a_node_without_files(tmp_path: Path) -> None:
    root = read_root(tmp_path)

    assert (root.files, root.folders, root.places) == ({}, set(), {})
    assert root.complete


def test_files_and_folders_are_read_by_the_nodes_paths(tmp_path: Path) -> None:
    put(tmp_path, CONFIG, "version = 2\n", 0o600)
    put(tmp_path, "/etc/os-release", "ID=debian\n")
    put(tmp_path, "/etc/shadow", "root:x\n")

    root = read_root(tmp_path)

    assert contents(root) == {CONFIG: "version = 2\n", "/etc/os-release": "ID=debian\n"}
    assert root.files[CONFIG].mode == 0o600
    assert root.folders == {"/etc/containerd"}


def test_every_place_on_the_way_is_recorded_with_its_kind(tmp_path: Path) -> None:
    local = put(tmp_path, CONFIG, "abc", 0o640)
    status = local.stat()

    root = read_root(tmp_path)

    assert {path: entry.kind for path, entry in root.places.items()} == {
        "/etc": Kind.DIRECTORY,
        "/etc/containerd": Kind.DIRECTORY,
        CONFIG: Kind.FILE,
    }
    entry = root.places[CONFIG]
    assert (entry.device, entry.inode, entry.links) == (status.st_dev, status.st_ino, 1)
    assert (entry.size, entry.mode, entry.changed_at) == (3, 0o640, int(status.st_mtime))


def test_paths_that_a_config_names_are_read_as_well(tmp_path: Path) -> None:
    text = """\
imports = ["/opt/conf.d/*.toml"]
config_path = "/srv/certs.d:/srv/more"
ca_file = '/opt/ca.crt'
"""
    put(tmp_path, CONFIG, text)
    put(tmp_path, "/opt/conf.d/a.toml", 'root = "/opt/named/by/import.toml"')
    put(tmp_path, "/opt/named/by/import.toml", "x")
    put(tmp_path, "/srv/certs.d/quay.io/hosts.toml", "hosts")
    put(tmp_path, "/srv/more/b", "more")
    put(tmp_path, "/opt/ca.crt", "pem")
    put(tmp_path, "/opt/other", "not named")

    assert set(read_root(tmp_path).files) == {
        CONFIG,
        "/opt/conf.d/a.toml",
        "/opt/named/by/import.toml",
        "/srv/certs.d/quay.io/hosts.toml",
        "/srv/more/b",
        "/opt/ca.crt",
    }


NOT_FOLLOWED = {
    "a folder at the root": 'x = "/opt"',
    "a relative path": 'x = "opt/a/b"',
    "no quotes": "x = /opt/a/b",
}


@pytest.mark.parametrize("line", NOT_FOLLOWED.values(), ids=NOT_FOLLOWED)
def test_what_names_no_path_is_not_read(tmp_path: Path, line: str) -> None:
    put(tmp_path, CONFIG, line)
    put(tmp_path, "/opt/a/b", "x")

    assert set(read_root(tmp_path).files) == {CONFIG}


def test_only_a_config_names_paths(tmp_path: Path) -> None:
    put(tmp_path, "/etc/containerd/notes.txt", 'see "/opt/a/b"')
    put(tmp_path, "/opt/a/b", "x")

    assert set(read_root(tmp_path).files) == {"/etc/containerd/notes.txt"}


def test_a_config_that_names_itself_is_read_once(tmp_path: Path) -> None:
    put(tmp_path, CONFIG, f'imports = ["{CONFIG}", "/etc/containerd/*.toml"]')

    root = read_root(tmp_path)

    assert (set(root.files), root.found) == ({CONFIG}, {CONFIG})


@pytest.mark.parametrize("target", ["/data/c.toml", "../../data/c.toml"])
def test_a_link_is_read_as_the_file_that_it_leads_to(tmp_path: Path, target: str) -> None:
    real = put(tmp_path, "/data/c.toml", "x = 1")
    link(tmp_path, CONFIG, target)

    root = read_root(tmp_path)

    assert contents(root) == {CONFIG: "x = 1"}
    assert root.links == {CONFIG}
    entry = root.places[CONFIG]
    assert (entry.kind, entry.target, entry.real) == (Kind.LINK, target, "/data/c.toml")
    assert entry.identity == (real.stat().st_dev, real.stat().st_ino)


def test_a_link_of_a_folder_leads_to_its_files(tmp_path: Path) -> None:
    put(tmp_path, "/data/containerd/config.toml", "x = 1")
    link(tmp_path, "/etc/containerd", "/data/containerd")

    root = read_root(tmp_path)

    assert contents(root) == {CONFIG: "x = 1"}
    assert root.links == frozenset()
    assert root.places["/etc/containerd"].real == "/data/containerd"


@pytest.mark.parametrize("target", ["/outside/secret", "../../../outside/secret"])
def test_a_link_never_leads_out_of_the_folder(tmp_path: Path, target: str) -> None:
    put(tmp_path, "/outside/secret", "secret")
    link(tmp_path / "node", CONFIG, target)

    root = read_root(tmp_path / "node")

    assert root.files == {}
    assert root.places[CONFIG].identity is None


def test_the_folder_itself_may_be_reached_by_a_link(tmp_path: Path) -> None:
    put(tmp_path / "node", CONFIG, "x")
    (tmp_path / "alias").symlink_to("node")

    assert contents(read_root(tmp_path / "alias")) == {CONFIG: "x"}


def test_a_circular_link_is_recorded_and_not_followed(tmp_path: Path) -> None:
    link(tmp_path, "/etc/containerd/a", "b")
    link(tmp_path, "/etc/containerd/b", "a")

    root = read_root(tmp_path)

    assert root.files == {}
    assert [root.places[f"/etc/containerd/{name}"].real for name in "ab"] == ["", ""]


def test_a_folder_that_links_back_to_itself_is_entered_once(tmp_path: Path) -> None:
    put(tmp_path, CONFIG, "x")
    link(tmp_path, "/etc/containerd/again", ".")

    assert set(read_root(tmp_path).files) == {CONFIG}


def test_a_pipe_is_recorded_and_not_opened(tmp_path: Path) -> None:
    (tmp_path / "etc/containerd").mkdir(parents=True)
    os.mkfifo(tmp_path / "etc/containerd/pipe")

    root = read_root(tmp_path)

    assert (root.files, root.places["/etc/containerd/pipe"].kind) == ({}, Kind.FIFO)


@pytest.mark.parametrize(("size", "read"), [(1 << 20, True), ((1 << 20) + 1, False)])
def test_a_large_file_is_counted_and_not_read(tmp_path: Path, size: int, read: bool) -> None:
    os.truncate(put(tmp_path, CONFIG), size)

    root = read_root(tmp_path)

    assert (CONFIG in root.files, root.found) == (read, {CONFIG})


def test_a_folder_with_more_than_3000_files_is_not_read_whole(tmp_path: Path) -> None:
    """A config that names the folder makes no file count twice."""
    put(tmp_path, CONFIG, 'config_path = "/etc/containerd/certs.d"')
    folder = tmp_path / "etc/containerd/certs.d"
    folder.mkdir()
    for number in range(2999):
        (folder / f"{number:04}").touch()

    root = read_root(tmp_path)
    assert (root.crowded, root.complete, len(root.files)) == (0, True, 3000)

    (folder / "more").touch()
    root = read_root(tmp_path)
    assert (root.crowded, root.complete, len(root.files)) == (3001, False, 3000)


def test_a_config_is_followed_to_its_real_path(tmp_path: Path) -> None:
    put(tmp_path, "/data/deep/c.toml", "x = 1")
    link(tmp_path, CONFIG, "/data/deep/c.toml")
    root = NodeRoot(tmp_path)

    assert root.followed(CONFIG) == "/data/deep/c.toml"
    assert contents(root) == {"/data/deep/c.toml": "x = 1"}
    assert {"/data", "/data/deep"} <= root.places.keys()


def test_a_config_without_links_is_where_it_is(tmp_path: Path) -> None:
    put(tmp_path, CONFIG, "x = 1")
    root = NodeRoot(tmp_path)

    assert (root.followed(CONFIG), root.files) == (CONFIG, {})


def test_a_circular_config_stays_where_it_is(tmp_path: Path) -> None:
    link(tmp_path, CONFIG, CONFIG)

    assert NodeRoot(tmp_path).followed(CONFIG) == CONFIG

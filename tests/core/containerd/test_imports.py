"""The files of a config: what each release imports, in which order, and which file decides."""

from __future__ import annotations

import pytest

from fleet.core.containerd.config import CRI_1, IMAGES
from fleet.core.containerd.imports import ConfigView, config_view, imported_folder, line_of
from fleet.core.failure import FailureKind, NodeError
from fleet.core.text.toml_scan import Path
from tests.support.build import CONFIG, facts_with, release

FOLDER = "/etc/containerd"
TABLE = ("plugins", CRI_1, "registry")
CRI = f'[plugins."{CRI_1}".registry]\n'
NEW_CRI = f'[plugins."{IMAGES}".registry]\n'


def view(root: str, version: str = "1.7.24", **files: str) -> ConfigView:
    """Return the view of a node; a name such as `a` stands for conf.d/a.toml."""
    paths = {f"{FOLDER}/conf.d/{name}.toml": text for name, text in files.items()}
    facts = facts_with({CONFIG: root, **paths}, version)
    return config_view(facts, release(version), root)


def paths_of(config: ConfigView) -> list[str]:
    return [layer.path.removeprefix(f"{FOLDER}/") for layer in config.layers]


IMPORTS: dict[str, tuple[str, str, list[str]]] = {
    "none": ("", "1.7.24", []),
    "an absolute path": ('imports = ["/etc/containerd/conf.d/b.toml"]', "1.7.24", ["b"]),
    "a path below the file": ('imports = ["conf.d/b.toml"]', "1.7.24", ["b"]),
    "a path with dots": ('imports = ["./conf.d/../conf.d/b.toml"]', "1.7.24", ["b"]),
    "in the order of the list": (
        'imports = ["conf.d/b.toml", "conf.d/a.toml"]',
        "1.7.24",
        ["b", "a"],
    ),
    "a glob is in the order of names": (
        'imports = ["/etc/containerd/conf.d/*.toml"]',
        "1.7.24",
        ["a", "b", "ca"],
    ),
    "a glob of part of a name": (
        'imports = ["/etc/containerd/conf.d/*a.toml"]',
        "1.7.24",
        ["a", "ca"],
    ),
    "a glob without a match": ('imports = ["/etc/containerd/conf.d/x*.toml"]', "1.7.24", []),
    "a star does not match a slash": ('imports = ["/etc/*.toml"]', "1.7.24", []),
    "a star for a folder": ('imports = ["/etc/*/conf.d/b.toml"]', "1.7.24", ["b"]),
    "a relative glob": ('imports = ["conf.d/b*.toml"]', "1.7.24", ["b"]),
    "a relative glob before 1.7.16": ('imports = ["conf.d/b*.toml"]', "1.7.15", []),
    "a relative glob before 1.6.29": ('imports = ["conf.d/b*.toml"]', "1.6.28", []),
    "a relative path before 1.7.16": ('imports = ["conf.d/b.toml"]', "1.7.15", ["b"]),
    "the same file twice": ('imports = ["conf.d/b.toml", "conf.d/b.toml"]', "1.7.24", ["b"]),
    "the root itself": ('imports = ["config.toml"]', "1.7.24", []),
    "a missing file on 1.4": ('imports = ["conf.d/x.toml"]', "1.4.13", []),
    "1.2 knows no imports": ('imports = ["conf.d/b.toml"]', "1.2.9", []),
    "an empty entry": ('imports = ["", "conf.d/b.toml"]', "1.7.24", ["b"]),
    "a number": ("imports = [1]", "1.7.24", []),
}


@pytest.mark.parametrize(("root", "version", "names"), IMPORTS.values(), ids=list(IMPORTS))
def test_the_imports_that_a_release_reads(root: str, version: str, names: list[str]) -> None:
    config = view(root, version, a="", b="", ca="")

    assert paths_of(config) == ["config.toml", *(f"conf.d/{name}.toml" for name in names)]


def test_imports_of_imports_follow_those_of_the_root() -> None:
    config = view(
        'imports = ["conf.d/a.toml", "conf.d/b.toml"]', a='imports = ["c.toml"]', b="", c=""
    )

    assert paths_of(config) == ["config.toml", "conf.d/a.toml", "conf.d/b.toml", "conf.d/c.toml"]


def test_imports_in_a_circle_end() -> None:
    config = view('imports = ["conf.d/a.toml"]', a='imports = ["../config.toml", "a.toml"]')

    assert paths_of(config) == ["config.toml", "conf.d/a.toml"]


def test_a_missing_import_is_refused_with_its_line() -> None:
    with pytest.raises(NodeError) as raised:
        view('version = 2\nimports = ["conf.d/x.toml"]')

    assert raised.value.failure.kind is FailureKind.CONFLICT
    assert raised.value.failure.message.startswith(
        "/etc/containerd/config.toml:2: imports /etc/containerd/conf.d/x.toml, which is missing"
    )


@pytest.mark.parametrize(
    "entries", [["a"] * 201, ["a" * 4097]], ids=["too many imports", "a path that is too long"]
)
def test_imports_without_end_are_refused(entries: list[str]) -> None:
    with pytest.raises(NodeError, match="fleet follows at most") as raised:
        view(f"imports = {entries}")

    assert raised.value.failure.kind is FailureKind.UNSUPPORTED


def test_an_absent_root_is_read_as_the_given_text() -> None:
    config = config_view(facts_with({}), release("1.7.24"), "version = 2\n")

    assert config.root.data == {"version": 2}


def test_the_byte_order_mark_of_a_root_is_kept_apart() -> None:
    layer = view("\ufeffversion = 2\n").root

    assert (layer.mark, layer.text) == ("\ufeff", "version = 2\n")


@pytest.mark.parametrize("version", ["1.4.13", "2.0.0"])
def test_a_byte_order_mark_is_refused_where_the_daemon_refuses_it(version: str) -> None:
    with pytest.raises(NodeError, match="begins with a byte-order mark"):
        view("\ufeffversion = 2\n", version)


def test_bytes_that_are_not_utf_8_are_read_by_1_x_alone() -> None:
    text = "# \udcff\n"

    assert view(text).root.text == text
    with pytest.raises(NodeError, match="contains bytes that are not UTF-8"):
        view(text, "2.0.0")


# -- places ---------------------------------------------------------------------------------------

TEXT = "version = 2\n\n[a]\n  b.c = 1\n[a.d] # d\n[x]\ne = [\n  1,\n]\nf = 2\n"
LINES: dict[str, tuple[Path, int]] = {
    "a root key": (("version",), 1),
    "a table": (("a",), 3),
    "a dotted key": (("a", "b", "c"), 4),
    "the table of a dotted key": (("a", "b"), 4),
    "a header": (("a", "d"), 5),
    "behind a value of many lines": (("x", "f"), 10),
    "not in the text": (("y",), 1),
}


@pytest.mark.parametrize(("path", "line"), LINES.values(), ids=list(LINES))
def test_the_line_of_a_path(path: Path, line: int) -> None:
    assert line_of(TEXT, path) == line


def test_a_place_names_the_file_and_the_line() -> None:
    assert view(TEXT).root.at(("x", "f")) == "/etc/containerd/config.toml:10"


# -- which file decides ---------------------------------------------------------------------------


def test_an_import_without_a_version_has_its_roots() -> None:
    config = view('version = 2\nimports = ["conf.d/a.toml"]', a="", b="")

    assert [config.version_of(layer) for layer in config.layers] == [2, 2]


def test_an_import_may_have_a_version_of_its_own() -> None:
    config = view('version = 2\nimports = ["conf.d/a.toml"]', a="version = 1\n")

    assert config.version_of(config.layers[1]) == 1


BOTH = 'version = 2\nimports = ["conf.d/a.toml"]\n'
OWNERS: dict[str, tuple[str, str, str, str]] = {
    "the root by default": ("1.7.24", BOTH, "version = 2\n", "config.toml"),
    "the root's table": ("1.7.24", f"{BOTH}{CRI}", "version = 2\n", "config.toml"),
    "the import's table on 1.x": ("1.7.24", f"{BOTH}{CRI}", f"version = 2\n{CRI}", "conf.d/a.toml"),
    "any table of the plugin on 1.x": (
        "1.7.24",
        f"{BOTH}{CRI}",
        f'version = 2\n[plugins."{CRI_1}".cni]\n',
        "conf.d/a.toml",
    ),
    "on 2.x the table alone decides nothing": (
        "2.1.9",
        f"{BOTH}{CRI}",
        f"version = 2\n{CRI}",
        "config.toml",
    ),
    "on 2.x the key decides": (
        "2.1.9",
        f"{BOTH}{CRI}",
        f"version = 2\n{CRI}config_path = '/a'\n",
        "conf.d/a.toml",
    ),
    "on 2.x an empty key does not": (
        "2.1.9",
        f"{BOTH}{CRI}config_path = '/a'\n",
        f"version = 2\n{CRI}config_path = ''\n",
        "config.toml",
    ),
}


@pytest.mark.parametrize(("version", "root", "a", "owner"), OWNERS.values(), ids=list(OWNERS))
def test_the_file_that_decides_config_path(version: str, root: str, a: str, owner: str) -> None:
    assert view(root, version, a=a).owner("config_path").path == f"{FOLDER}/{owner}"


def test_the_merged_registry_is_that_of_all_files() -> None:
    config = view(f"{BOTH}{CRI}config_path = '/a'\n", "2.1.9", a=f"version = 2\n{CRI}x = 1\n")

    assert config.merged() == {"config_path": "/a", "x": 1}


TABLES: dict[str, tuple[str, str, tuple[Path, ...]]] = {
    "the usual table of version 2": ("1.7.24", "version = 2\n", (TABLE,)),
    "the usual table of version 3": (
        "2.1.9",
        "version = 3\n",
        (("plugins", IMAGES, "registry"),),
    ),
    "without a version": ("1.7.24", "", (("plugins", "cri", "registry"),)),
    "a present table comes first": (
        "2.1.9",
        f"version = 2\n{NEW_CRI}",
        (("plugins", IMAGES, "registry"), TABLE),
    ),
}


@pytest.mark.parametrize(("version", "root", "tables"), TABLES.values(), ids=list(TABLES))
def test_the_tables_in_which_a_setting_may_go(
    version: str, root: str, tables: tuple[Path, ...]
) -> None:
    config = view(root, version)

    assert config.tables(config.root) == tables


def test_a_layer_gets_a_new_text() -> None:
    config = view(BOTH, a="x = 1\n")

    changed = config.with_text(f"{FOLDER}/conf.d/a.toml", "x = 2\n")

    assert [layer.data.get("x") for layer in changed.layers] == [None, 2]
    assert [layer.data.get("x") for layer in config.layers] == [None, 1]


@pytest.mark.parametrize(
    ("root", "text"),
    [
        ("version = 2\n", "# Managed by fleet: change mirrors.yaml instead.\nversion = 2\n"),
        ("version = 2\r\n", "# Managed by fleet: change mirrors.yaml instead.\r\nversion = 2\r\n"),
        ("", "# Managed by fleet: change mirrors.yaml instead.\n"),
    ],
    ids=["its version", "its line ends", "no version"],
)
def test_a_new_import_has_the_version_of_its_root(root: str, text: str) -> None:
    path = f"{FOLDER}/conf.d/fleet.toml"
    start = 'imports = ["/etc/containerd/conf.d/*.toml"]' + ("\r\n" if "\r" in root else "\n")
    facts = facts_with({CONFIG: start + root})

    config = config_view(facts, release("1.7.24"), "").with_new(facts, path)

    assert (config.layers[1].path, config.layers[1].text) == (path, text)


FOLDERS = {
    "every file": ('imports = ["/etc/containerd/conf.d/*.toml"]', "/etc/containerd/conf.d"),
    "the second entry": ('imports = ["/a.toml", "/b/*.toml"]', "/b"),
    "none": ("", None),
    "a relative folder": ('imports = ["conf.d/*.toml"]', None),
    "part of the names": ('imports = ["/b/x*.toml"]', None),
    "a star in the folder": ('imports = ["/b/*/*.toml"]', None),
    "another glob in the folder": ("imports = ['/[b]/*.toml', '/b?/*.toml', '/b\\c/*.toml']", None),
    "another spelling": ('imports = ["/b//./c/../d/*.toml"]', "/b/d"),
}


@pytest.mark.parametrize(("root", "folder"), FOLDERS.values(), ids=list(FOLDERS))
def test_the_folder_from_which_every_file_is_imported(root: str, folder: str | None) -> None:
    facts = facts_with({CONFIG: root, "/a.toml": ""})

    assert imported_folder(config_view(facts, release("1.7.24"), "")) == folder

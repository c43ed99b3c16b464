"""`config dump` outside its registry tables: which changes count, and ignored tables."""

from __future__ import annotations

import pytest

from fleet.core.containerd.dump import ignored_registries, outside_registry

OUTSIDE = (
    "version = 3\n[plugins]\n  [plugins.'io.containerd.cri.v1.images']\n    snapshotter = 'x'\n"
)
REGISTRY = "    [plugins.'io.containerd.cri.v1.images'.registry]\n      config_path = '/a'\n"
BELOW = "      [plugins.'io.containerd.cri.v1.images'.registry.headers]\n        X = 'y'\n"
AFTER = "  [plugins.'io.containerd.cri.v1.runtime']\n    enable_cdi = true\n"

SAME = {
    "another registry table": (
        OUTSIDE + REGISTRY + AFTER,
        OUTSIDE + REGISTRY.replace("/a", "/b") + AFTER,
    ),
    "no registry table": (OUTSIDE + REGISTRY + BELOW + AFTER, OUTSIDE + AFTER),
    "a table below the registry": (OUTSIDE + REGISTRY + AFTER, OUTSIDE + REGISTRY + BELOW + AFTER),
    "the registry table of 1.x": (
        OUTSIDE + '  [plugins."io.containerd.grpc.v1.cri".registry]\n    x = 1\n' + AFTER,
        OUTSIDE + AFTER,
    ),
    "other imports": ("imports = ['/a']\n" + OUTSIDE, "imports = ['/b']\n" + OUTSIDE),
    "a line of the log": ('time="2026" level=warning msg="x"\n' + OUTSIDE, OUTSIDE),
    "empty lines": ("\n" + OUTSIDE + "\n\n" + AFTER, OUTSIDE + AFTER),
}


@pytest.mark.parametrize(("first", "second"), SAME.values(), ids=list(SAME))
def test_a_change_of_the_registry_alone_does_not_count(first: str, second: str) -> None:
    assert outside_registry(first) == outside_registry(second)


OTHER = {
    "a value": (OUTSIDE, OUTSIDE.replace("'x'", "'y'")),
    "a value behind the registry": (
        OUTSIDE + REGISTRY + AFTER,
        OUTSIDE + REGISTRY + AFTER.replace("true", "false"),
    ),
    "a table": (OUTSIDE + AFTER, OUTSIDE),
    "a table with a longer name": (
        OUTSIDE + "  [plugins.'x'.registry_mirrors]\n",
        OUTSIDE + "  [plugins.'x'.registry_mirrors]\n    a = 1\n",
    ),
    "a root table behind the registry": (
        OUTSIDE + REGISTRY + "[debug]\n  level = 'a'\n",
        OUTSIDE + REGISTRY + "[debug]\n  level = 'b'\n",
    ),
    "a list that looks like a table's end": (OUTSIDE + "a = [1]\n", OUTSIDE + "a = [2]\n"),
    "the order of lines": ("a = 1\nb = 2\n", "b = 2\na = 1\n"),
}


@pytest.mark.parametrize(("first", "second"), OTHER.values(), ids=list(OTHER))
def test_any_other_change_counts(first: str, second: str) -> None:
    assert outside_registry(first) != outside_registry(second)


def test_a_list_inside_a_registry_table_does_not_end_it() -> None:
    endpoints = "        endpoint = ['https://a']\n        x = 1\n"

    assert outside_registry(OUTSIDE + REGISTRY + endpoints) == outside_registry(OUTSIDE)


def test_the_digest_is_that_of_the_lines_outside() -> None:
    sha_256 = "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7"

    assert outside_registry("a\n[plugins.x.registry]\nb\n") == sha_256


IGNORED = 'level=warning msg="Ignoring unknown key in TOML for plugin" '
WARNINGS = {
    "none": ("version = 2\n", 0),
    "a registry": (IGNORED + "key=registry plugin=io.containerd.grpc.v1.cri\n", 1),
    "a quoted key": (IGNORED + 'key="registry mirrors" plugin=x\n', 1),
    "two": ((IGNORED + "key=registry\n") * 2, 2),
    "another key": (IGNORED + "key=sandbox_image\n", 0),
    "the key before the words": ("key=registry " + IGNORED + "key=x\n", 0),
}


@pytest.mark.parametrize(("dump", "count"), WARNINGS.values(), ids=list(WARNINGS))
def test_warnings_that_a_registry_table_is_ignored_are_counted(dump: str, count: int) -> None:
    assert ignored_registries(dump) == count

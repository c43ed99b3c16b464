"""config.toml edited in place: what was meant, and every other byte as it was."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.core.containerd.config import CRI_1, config_version, parse_config
from fleet.core.failure import NodeError
from fleet.core.model.version import parse_version
from fleet.core.text.toml_edit import dig, remove, set_key

REGISTRY = ("plugins", CRI_1, "registry")
HEAD = '[plugins."io.containerd.grpc.v1.cri"'

STARTS = {
    "nothing": "version = 2\n",
    "no newline at the end": "version = 2",
    "empty": "",
    "a table above": f"version = 2\n{HEAD}]\n  sandbox_image = 'x' # keep\n",
    "the table itself": f"version = 2\n{HEAD}.registry]\n  # comment\n\n[debug]\n  level = 'a'\n",
    "the key, empty": f'version = 2\n{HEAD}.registry]\n  config_path = "" # default\n[debug]\n',
    "windows line ends": f"version = 2\r\n# c\r\n{HEAD}]\r\n\tx = 1\r\n",
    "windows line ends, the table": f"version = 2\r\n{HEAD}.registry]\r\n\tx = 1\r\n[debug]\r\n",
    "only a table below": f"version = 2\n{HEAD}.registry.headers]\n  A = ['b']\n",
    "out of order": f"[debug]\n{HEAD}.cni]\na=1\n[grpc]\n{HEAD}.containerd]\nb=2\n",
    "nested, indented": f"[plugins]\n  {HEAD}]\n    {HEAD}.registry]\n      x = 1\n  [plugins.z]\n",
    "a dotted key": "version = 2\nplugins.z.a = 1\n",
}


@pytest.mark.parametrize("text", STARTS.values(), ids=STARTS)
def test_a_key_is_set_and_nothing_else_moves(text: str) -> None:
    before = tomllib.loads(text)

    result = set_key(text, REGISTRY, "config_path", "/etc/containerd/certs.d")

    after = tomllib.loads(result)
    assert dig(after, REGISTRY)["config_path"] == "/etc/containerd/certs.d"
    kept = [line for line in text.splitlines(keepends=True) if "config_path" not in line]
    remaining = iter(result.splitlines(keepends=True))
    assert all(any(line.rstrip("\n") in each for each in remaining) for line in kept)
    assert ("\r\n" in text) == ("\r\n" in result)
    assert set_key(result, REGISTRY, "config_path", "/etc/containerd/certs.d") == result
    registry = after["plugins"][CRI_1].pop("registry")
    registry.pop("config_path")
    old = before.get("plugins", {}).get(CRI_1, {}).pop("registry", {})
    old.pop("config_path", None)
    assert registry == old


def test_what_cannot_be_set_without_touching_other_lines_is_refused() -> None:
    text = f'version = 2\nplugins."{CRI_1}".registry = 3\n'

    with pytest.raises(NodeError, match="is not a table"):
        set_key(text, REGISTRY, "config_path", "/x")


NAMES = st.from_regex(r"[a-z0-9.:]{1,12}", fullmatch=True)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(list(STARTS.values())), st.dictionaries(NAMES, st.lists(NAMES), max_size=4))
def test_tables_that_fleet_adds_can_be_dropped_again(
    text: str, mirrors: dict[str, list[str]]
) -> None:
    result = text
    for name, endpoints in mirrors.items():
        result = set_key(result, (*REGISTRY, "mirrors", name), "endpoint", endpoints)
    assert {
        name: dig(tomllib.loads(result), (*REGISTRY, "mirrors", name))["endpoint"]
        for name in mirrors
    } == mirrors

    for name in mirrors:
        result = remove(result, [(*REGISTRY, "mirrors", name)])

    assert result == text


REFUSED = {
    "1.7 reads no version 3": ("1.7.24", {"version": 3}),
    "2.2 reads no version 4": ("2.2.7", {"version": 4}),
    "a version that is a string": ("2.1.9", {"version": "2"}),
    "a version that nobody knows": ("2.3.4", {"version": 5}),
}


@pytest.mark.parametrize(("version", "data"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_a_version_does_not_read_is_refused(
    version: str, data: dict[str, object]
) -> None:
    parsed = parse_version(version)

    assert parsed is not None
    with pytest.raises(NodeError):
        config_version(data, parsed, "config.toml")


def test_broken_files_and_templates_are_refused_with_their_line() -> None:
    with pytest.raises(NodeError, match="at line 2"):
        parse_config("version = 2\nthis is [no toml\n", "/c")
    with pytest.raises(NodeError, match="/c:2: this is a template"):
        parse_config("version = 2\n{{ .x }}\n", "/c")

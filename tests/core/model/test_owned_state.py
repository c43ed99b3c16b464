"""fleet's record on a node: written, read back, and read where it is damaged."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.model.owned_state import OwnedState, parse_state

STATE = OwnedState(
    "20260101-000000-abcd",
    {"/b": "digest b", "/a": "digest a"},
    ('configs."h".auth', 'mirrors."*"'),
    {"/c": "digest c"},
)


def test_a_record_has_a_key_per_line_in_order() -> None:
    assert OwnedState("g", {"/b": "2", "/a": "1"}, ("mirrors.a",)).render() == (
        b'{\n  "version": 1,\n  "generation": "g",\n  "files": {\n    "/a": "1",\n    "/b": "2"\n'
        b'  },\n  "legacy": [\n    "mirrors.a"\n  ],\n  "migrated": {}\n}\n'
    )


PATHS = st.text("ab/.", min_size=1, max_size=4).map(lambda text: f"/x{text.replace('/', '')}")


@given(
    st.none() | st.text("ab0-", min_size=1),
    st.dictionaries(PATHS, st.text(max_size=4), max_size=3),
    st.sets(st.sampled_from(["mirrors.a", 'mirrors."*"', "configs.h.auth"])),
)
def test_a_record_is_read_as_it_was_written(
    generation: str | None, files: dict[str, str], legacy: set[str]
) -> None:
    state = OwnedState(generation, files, tuple(sorted(legacy)), files)

    assert parse_state(state.render()) == state


BROKEN = {
    "no file": None,
    "an empty file": b"",
    "no JSON": b"{",
    "another form": b"[]",
    "a number": b"5",
    "bytes": b"\xff",
    "null": b"null",
    "deep nesting": b"[" * 100_000,
    "half an escape": b'{"generation": "\\ud8',
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=list(BROKEN))
def test_a_record_that_cannot_be_read_is_empty(content: bytes | None) -> None:
    assert parse_state(content) == OwnedState()


ODD = {
    "a generation of a list": ({"generation": ["g"]}, OwnedState()),
    "settings as a text": ({"legacy": "ab"}, OwnedState()),
    "settings as a table": ({"legacy": {"a": 1}}, OwnedState()),
    "files of a number": ({"files": 5}, OwnedState()),
    "a generation of a number": ({"generation": 5}, OwnedState()),
    "an empty generation": ({"generation": ""}, OwnedState()),
    "files of another form": ({"files": ["/a"]}, OwnedState()),
    "a digest of a number": ({"files": {"/a": 5, "/b": "x"}}, OwnedState(files={"/b": "x"})),
    "a path with dots": ({"files": {"/a/../b": "x"}}, OwnedState(files={"/b": "x"})),
    "unknown keys": ({"mine": 1}, OwnedState()),
}


@pytest.mark.parametrize(("body", "state"), ODD.values(), ids=list(ODD))
def test_odd_parts_are_left_out(body: dict[str, object], state: OwnedState) -> None:
    assert parse_state(json.dumps(body).encode()) == state


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ('mirrors."docker.io"', True),
        ("configs.h.auth", True),
        ("mirrors", False),
        ("configs", False),
        ("plugins.cri", False),
        ("mirrors.docker.io", True),
        ('mirrors."a"', False),
        ("mirrors.a = 1", False),
        ("", False),
        (".", False),
        ('configs."\\q"', False),
        ("configs.", False),
        ("configs .a", False),
        ('mirrors."a', False),
    ],
)
def test_only_settings_that_fleet_may_have_written_are_kept(name: str, kept: bool) -> None:
    state = parse_state(json.dumps({"legacy": [name]}).encode())

    assert state.legacy == ((name,) if kept else ())


def test_equal_contents_are_parsed_once() -> None:
    content = json.dumps({"files": {"/etc/x": "d1"}}).encode()

    assert parse_state(content) is parse_state(bytes(bytearray(content)))

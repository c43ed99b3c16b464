"""state.json as a node has it: whatever it holds, fleet owns no more than it may have written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fleet.core.model.owned_state import OwnedState, parse_state

ODD: tuple[Any, ...] = (
    None, 5, "x", [], [[]], {"files": 5}, {"files": ["/x"]}, {"files": {"/x": 5}}, {"legacy": "ab"},
    {"legacy": {"a": 1}}, {"generation": ["g"]}, {"generation": 7}, {"files": {"/x": None}},
)  # fmt: skip


@pytest.mark.parametrize("body", ODD, ids=repr)
def test_a_state_of_another_shape_owns_nothing(body: Any) -> None:
    assert parse_state(json.dumps(body).encode()) == OwnedState()


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"[" * 100_000, b'{"generation": "\\ud8'])
def test_a_state_that_cannot_be_read_owns_nothing(content: bytes | None) -> None:
    assert parse_state(content) == OwnedState()


def test_what_fleet_wrote_is_read_back() -> None:
    names = ('configs."a.example:5000".auth', 'mirrors."*"', 'mirrors."docker.io"')
    state = OwnedState("g", {"/x": "0"}, names)

    assert parse_state(state.render()) == state


@pytest.mark.parametrize(
    "name", ["", ".", "configs", "mirrors", '"', 'configs."\\q"', "a.b", "configs.", "configs .a"]
)
def test_a_name_that_would_stand_for_more_than_a_setting_is_not_owned(name: str) -> None:
    assert parse_state(json.dumps({"legacy": [name]}).encode()).legacy == ()

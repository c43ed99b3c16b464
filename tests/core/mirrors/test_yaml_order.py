"""Another order for endpoints: the items move with their comments, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.mirrors.yaml_order import endpoint_lists, reordered
from fleet.core.text.yaml import parse_yaml

BLOCK = """\
mirrors:
  docker.io:
    endpoints: # in order
      # ours
      - https://a.example # the first
      - {url: https://b.example/v2/x, override_path: true}

      # far away,
      # but good
      - url: http://c.example
        skip_verify: false # plain
    # about verify
    verify: docker.io/library/busybox:1.36 # pulled
"""
MOVED = """\
mirrors:
  docker.io:
    endpoints: # in order
      # far away,
      # but good
      - url: http://c.example
        skip_verify: false # plain
      # ours
      - https://a.example # the first
      - {url: https://b.example/v2/x, override_path: true}

    # about verify
    verify: docker.io/library/busybox:1.36 # pulled
"""
PATH = ("mirrors", "docker.io", "endpoints")


def written(items: str) -> str:
    return f"mirrors:\n  docker.io:\n    endpoints: {items}"


def test_items_move_with_the_comments_above_them_and_on_their_lines() -> None:
    assert reordered(BLOCK, PATH, (2, 0, 1)) == MOVED


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("[a, {url: b}] # c\n", "[{url: b}, a] # c\n", id="in brackets"),
        pytest.param("\n    - a\n    - b", "\n    - b\n    - a", id="without a last newline"),
        pytest.param("\r\n    - a\r\n    - b\r\n", "\r\n    - b\r\n    - a\r\n", id="CRLF"),
        pytest.param("[\n  a,\n  b,\n]\n", "[\n  b,\n  a,\n]\n", id="brackets over lines"),
    ],
)
def test_every_form_of_a_list_can_be_turned_round(before: str, after: str) -> None:
    assert reordered(written(before), PATH, (1, 0)) == written(after)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(written("[\n  a, # mine\n  b,\n]\n"), id="a comment in brackets"),
        pytest.param(f"x: &all [a, b]\n{written('*all')}", id="an alias for the list"),
        pytest.param(f"x: &one a\n{written('[*one, b]')}", id="an alias for an item"),
    ],
)
def test_what_is_not_safe_to_move_stays(text: str) -> None:
    assert reordered(text, PATH, (1, 0)) is None


def test_lists_are_found_with_the_urls_as_fleet_reads_them() -> None:
    text = (
        'mirrors:\n  "*":\n    endpoint: ["https://A.example:443/"]\n'
        "overrides:\n  - match: x\n    mirrors: {quay.io: {endpoints: [http://b/v2]}}\n"
    )

    assert [(name, urls) for name, urls, _ in endpoint_lists(parse_yaml(text, ""))] == [
        ("_default", ("https://a.example",)),
        ("quay.io", ("http://b",)),
    ]


@given(st.permutations(range(3)))
def test_no_line_is_ever_lost(order: list[int]) -> None:
    moved = reordered(BLOCK, PATH, tuple(order))

    assert moved is not None
    assert sorted(moved.splitlines()) == sorted(BLOCK.splitlines())


def test_the_list_of_k3s_has_the_urls_that_k3s_reads() -> None:
    text = "mirrors: {q: {endpoint: [a.example, 'localhost:5000', https://b/x]}, r: }\n"

    ((_, urls, _),) = endpoint_lists(parse_yaml(text, "m"))

    assert urls == ("https://a.example", "http://localhost:5000", "https://b/x")

"""Edits of any valid TOML: what was meant, nothing else, and all the way back."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fleet.core.failure import NodeError
from fleet.core.text.toml_edit import dig, pruned, remove, set_key
from fleet.core.text.toml_scan import dotted, quoted, split, statements, toml_value

CRI = "io.containerd.grpc.v1.cri"
REGISTRY = ("plugins", CRI, "registry")
NAME = f'plugins."{CRI}"'

WORDS = st.sampled_from(["a", "b.c", "docker.io", "10.0.0.5:5000", "x y", "*", "ü"])
KEYS = st.sampled_from(["level", "sandbox_image", "x-1", '"q k"', "'l'"])
VALUES = st.sampled_from(
    ["1", "true", '"s # no comment"', "'l [x]'", '["a", "b"]', "[\n  1, # in\n  2,\n]", "{ a = 1 }",
     '"""\nm [t]\n"""', "'''\n# m\n'''", "1979-05-27T07:32:00Z", "[]", "{}"]
)  # fmt: skip
COMMENTS = st.sampled_from(["", "# note", "#", "  # [not.a.table]"])
TABLES = st.sampled_from(
    ["[debug]", "[plugins]", f"[{NAME}]", f"[{NAME}.registry]", f"[ {NAME}.cni ]",
     f"[{NAME}.registry.mirrors]", f'[{NAME}.registry.mirrors."quay.io"]', "[[things]]",
     f"[plugins.'{CRI}'.registry.configs.h.auth]", f"[{NAME}.registry.headers]"]
)  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Draw a valid TOML text with registry tables anywhere, in any order and dress."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    lines: list[str] = []
    for header in [None, *draw(st.lists(TABLES, max_size=7, unique=True))]:
        indent = draw(st.sampled_from(["", "  ", "\t"]))
        if header is not None:
            lines.append(f"{indent}{header} {draw(COMMENTS)}".rstrip())
        for key in draw(st.lists(KEYS, max_size=3, unique=True)):
            gap = draw(st.sampled_from([" = ", "=", "\t= "]))
            lines.append(f"{indent}{key}{gap}{draw(VALUES)} {draw(COMMENTS)}".rstrip())
        lines += draw(st.lists(st.sampled_from(["", "# note", "\t"]), max_size=2))
    text = newline.join(line.replace("\n", newline) for line in lines)
    return text + draw(st.sampled_from(["", newline]))


def is_valid(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


DOCUMENTS = documents().filter(is_valid)


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
def test_statements_cover_every_key_and_hold_their_values(text: str) -> None:
    data = tomllib.loads(text)

    found = list(statements(text))

    assert [each.start for each in found] == sorted(each.start for each in found)
    for each in found:
        value = text[each.value : each.value_end]
        if each.header or any(one.array and each.below(one.path) for one in found):
            continue
        assert tomllib.loads(f"v = {value}")["v"] == dig(data, each.path)


@settings(max_examples=400, deadline=None)
@given(DOCUMENTS, st.lists(WORDS, min_size=1, max_size=3, unique=True))
def test_edit_edit_again_and_undo(text: str, names: list[str]) -> None:
    """What was added comes out again, and the text is what it was, to the byte."""
    data = tomllib.loads(text)
    assume(dig(data, (*REGISTRY, "config_path")) is None)
    edited = text
    added = []
    for name in names:
        table = (*REGISTRY, "mirrors", name)
        if dig(data, table) is None:
            edited = set_key(edited, table, "endpoint", ["https://a", "https://b"])
            added.append(table)
    edited = set_key(edited, REGISTRY, "config_path", "/etc/containerd/certs.d")

    assert set_key(edited, REGISTRY, "config_path", "/etc/containerd/certs.d") == edited
    after = tomllib.loads(edited)
    assert dig(after, (*REGISTRY, "config_path")) == "/etc/containerd/certs.d"
    assert len(text.split("\n")) < len(edited.split("\n")) or text == ""
    remaining = iter(edited.replace("\r", "").split("\n"))
    assert all(line in remaining for line in text.replace("\r", "").split("\n") if line.strip())

    said = [each.path for each in statements(text) if each.header]
    # If the header was added and the table was there before, only a rollback can tell.
    assume(dig(data, REGISTRY) is None or REGISTRY in said)
    undone = remove(edited, [(*REGISTRY, "config_path")])
    for table in reversed(added):
        undone = remove(undone, [table])
    assert pruned(tomllib.loads(undone)) == pruned(data)
    if dig(data, REGISTRY) is None:
        undone = remove(undone, [REGISTRY])
    assert undone == text


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
def test_what_is_removed_is_gone_and_nothing_else_is(text: str) -> None:
    data = tomllib.loads(text)

    try:
        result = remove(text, [(*REGISTRY, "mirrors")])
    except NodeError:
        pytest.fail("a table that stands in headers can be cut out")

    wanted: dict[str, Any] = dig(data, REGISTRY) or {}
    wanted.pop("mirrors", None)
    assert pruned(tomllib.loads(result)) == pruned(data)
    assert remove(result, [(*REGISTRY, "mirrors")]) == result


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(["'", '"']))
def test_any_string_survives_both_quotes(text: str, mark: str) -> None:
    assert tomllib.loads(f"v = {quoted(text, mark)}")["v"] == text
    assert tomllib.loads(f"v = {toml_value([text, text], mark)}")["v"] == [text, text]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_names_are_parted_as_they_were_joined(names: list[str]) -> None:
    assert split(dotted(tuple(names))) == tuple(names)


INLINE = {
    "the registry": f"[{NAME}]\nregistry = {{ config_path = 'a', x = 1 }}\ny = 2\n",
    "the plugin": f'plugins."{CRI}" = {{ registry = {{ config_path = "a" }}, y = 2 }} # note\n',
}


@pytest.mark.parametrize("text", INLINE.values(), ids=list(INLINE))
def test_inline_tables_are_edited_within(text: str) -> None:
    result = set_key(text, REGISTRY, "config_path", "/b")

    assert dig(tomllib.loads(result), (*REGISTRY, "config_path")) == "/b"
    assert set_key(result, REGISTRY, "config_path", "a").replace("'", '"') == text.replace("'", '"')


def test_a_replaced_string_keeps_its_quotes_and_its_comment() -> None:
    text = f"[{NAME}.registry]\n\tconfig_path   =   'a'  # note\n"

    assert set_key(text, REGISTRY, "config_path", "/b") == text.replace("'a'", "'/b'")


INLINE = {
    "an empty table": f"[{NAME}]\nregistry = {{  }} # ours\n[debug]\nlevel = 'info'\n",
    "a table without what is set": f"[{NAME}]\nregistry = {{ headers = {{ X = ['a'] }} }}\n",
    "a list over lines in it": (
        f"[{NAME}]\nregistry = {{ headers = {{ X = [\n  'a', # one\n  'b',\n] }} }}\n# ours\n"
    ),
    "the plugin's table": (
        '[plugins]\n"io.containerd.grpc.v1.cri" = { sandbox_image = "x", registry = {} }\n'
    ),
    "all of the plugins": 'plugins = { "io.containerd.grpc.v1.cri" = { registry = {} } }\n',
}


@pytest.mark.parametrize("text", INLINE.values(), ids=INLINE)
@pytest.mark.parametrize(
    "path", [("config_path",), ("configs", "h.example", "auth", "username")], ids=["near", "deep"]
)
def test_a_setting_goes_into_an_inline_table(text: str, path: tuple[str, ...]) -> None:
    table = ("plugins", "io.containerd.grpc.v1.cri", "registry", *path[:-1])

    found = set_key(text, table, path[-1], "v")

    assert dig(tomllib.loads(found), (*table, path[-1])) == "v"
    assert remove(found, [(*table[:3], path[0])]).split() == text.split()
    lost = [line for line in text.splitlines() if line not in found.splitlines()]
    assert len(lost) == 1
    assert all(comment in found for comment in ("# ours", "# one") if comment in text)

"""Documents of nodes: any text is a document or one kind of error, and any shape is read."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.core.text.documents import (
    LARGEST,
    DocumentError,
    parse_json,
    parse_toml,
    strings_in,
    table,
    table_list,
    tables,
    word,
    words,
)

BROKEN_TOML = {
    "no TOML": ("a = ", "Invalid value"),
    "nested by brackets": ("a = " + "[" * 5000, "nested deeper"),
    "nested and closed": ("a = " + "[" * 60 + "]" * 60, "nested deeper"),
    "nested by a key": ("ok = 1\n" + "a." * 43_000 + "b = 1", "at line 2, column 1"),
    "nested by a header": ("[" + ".".join("a" * 43_000) + "]", "more than 40 parts"),
    "a header with a URL": ('[host."https://m.example".' + "a." * 43_000 + "b]", "more than 40"),
    "a quoted key": (".".join(['"a"'] * 50) + " = 1", "more than 40 parts"),
    "a huge decimal": ("a = " + "9" * 5000, "integer string conversion"),
    "a huge hexadecimal": ("a = 0x" + "f" * 5000, "more than 64 bits"),
    "larger than any config": ("#" * (LARGEST + 1), "larger than the 256 KiB"),
}
BROKEN_JSON = {
    "no JSON": "{",
    "no text": b"\xff\xfe",
    "nested": "[" * 100_000,
    "nested and closed": "[" * 60 + "]" * 60,
    "a huge number": "9" * 5000,
    "half of a surrogate pair": '{"a": "\\ud800"}',
}


@pytest.mark.parametrize(("text", "why"), BROKEN_TOML.values(), ids=BROKEN_TOML)
def test_toml_that_is_refused(text: str, why: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_toml(text)

    assert why in str(caught.value)


@pytest.mark.parametrize("text", BROKEN_JSON.values(), ids=BROKEN_JSON)
def test_json_that_is_refused(text: str | bytes) -> None:
    with pytest.raises(DocumentError):
        parse_json(text)


def test_what_real_files_hold_is_parsed() -> None:
    text = 'a."b.c".d = 1\n[plugins."io.containerd.grpc.v1.cri".registry.configs."a.b.c:5".auth]\n'
    dots = f"# {'header.' * 43_000}"[: LARGEST - 200]

    string = f"k = 'x {'a.' * 100}'\n"

    assert parse_toml(string)["k"].startswith("x a.a.")
    assert table(parse_toml(text), "a", "b.c") == {"d": 1}
    assert parse_toml(f"k = '{'.' * 100_000}'\n")
    assert parse_toml(dots) == {}


SHAPES: tuple[Any, ...] = (
    None, 1, 1.5, True, "x", [], ["x"], [["x"]], {}, {"k": 1}, {"k": {"k": {}}}, float("nan")
)  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_accessors_take_any_shape(shape: Any) -> None:
    data = {"k": shape}

    assert isinstance(word(data, "k"), str)
    assert isinstance(word(shape, "k"), str)
    assert all(isinstance(item, str) for item in (*words(data, "k"), *words(shape, "k")))
    assert isinstance(table(data, "k", "k"), dict)
    assert all(isinstance(item, dict) for item in tables(data, "k").values())
    assert all(isinstance(item, str) for item in strings_in(shape))


def test_accessors_find_what_is_there() -> None:
    data = parse_toml('[host."https://a"]\nca = [["a"], "b", 3]\n[host]\nb = 1\nserver = "s"')

    assert tables(data, "host") == {"https://a": {"ca": [["a"], "b", 3]}}
    assert list(strings_in(data["host"]["https://a"]["ca"])) == ["a", "b"]
    assert words(data["host"]["https://a"], "ca") == ("b",)
    assert word(data["host"], "server") == "s"


def test_only_the_tables_of_a_list_are_returned() -> None:
    data = {"mixed": [{"a": 1}, "b", None, {}], "text": "x"}

    assert table_list(data, "mixed") == [{"a": 1}, {}]
    assert table_list(data, "text") == table_list(data, "missing") == []

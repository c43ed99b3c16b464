"""The INI reader: sections, hosts and variables as the tree that YAML gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.config.inventory.ini import looks_like_ini, parse_ini
from fleet.config.reader import Reader
from fleet.core.text.yaml import Value
from tests.support.values import plain


def tree(text: str) -> dict[str, Any]:
    """Return the tree of a text without mistakes."""
    reader = Reader("hosts")
    found = plain(parse_ini(text, reader))
    assert reader.problems == []
    return found


def mistakes(text: str) -> list[str]:
    reader = Reader("hosts")
    parse_ini(text, reader)
    return [str(problem) for problem in reader.problems]


def host(line: str) -> dict[str, Any]:
    """Return the hosts that one line gives."""
    return tree(line)["all"]["hosts"]


DETECTED = {
    "a section": ("[gpu]\nw1 a=b c\n", True),
    "a section with a comment": ("[gpu] # cards\nw1 a b\n", True),
    "variables of a group": ("[gpu:vars]\n", True),
    "a plain list": ("w1\nw[2-4].example.net\n10.0.0.7:2222\n", True),
    "a list with comments": ("# mine\n; and yours\n\nw1\n", True),
    "a host with a variable": ("w1 ansible_host=10.0.0.1 port=2\n", True),
    "no line at all": ("", False),
    "comments alone": ("# w1\n", False),
    "YAML": ("all:\n  hosts:\n    w1:\n", False),
    "a YAML list": ("- w1\n- w2\n", False),
    "JSON": ('{"all": {}}', False),
    "an unknown section": ("[gpu:what]\nw1 {\n", False),
    "two words": ("w1 w2\n", False),
}


@pytest.mark.parametrize(("text", "expected"), DETECTED.values(), ids=DETECTED)
def test_an_ini_is_told_from_other_formats(text: str, expected: bool) -> None:
    assert looks_like_ini(text) is expected


def test_hosts_before_the_first_section_belong_to_no_group() -> None:
    assert tree("w1\nw2 ansible_port=22\n[gpu]\nw3\n") == {
        "all": {"hosts": {"w1": {}, "w2": {"ansible_port": 22}}},
        "gpu": {"hosts": {"w3": {}}},
    }


def test_each_kind_of_section_has_its_own_place() -> None:
    text = """\
[gpu]
w1
[gpu:vars]
site = a
[small:children]
gpu
[small:hosts]
w2
"""

    assert tree(text) == {
        "all": {},
        "gpu": {"hosts": {"w1": {}}, "vars": {"site": "a"}},
        "small": {"hosts": {"w2": {}}, "children": {"gpu": None}},
    }


def test_a_section_that_stands_twice_goes_on() -> None:
    assert tree("[a]\nw1\n[b]\nw2\n[a]\nw3\n")["a"] == {"hosts": {"w1": {}, "w3": {}}}


def test_the_ungrouped_section_is_the_whole() -> None:
    assert tree("[ungrouped]\nw1\n") == {"all": {"hosts": {"w1": {}}}}


def test_a_host_that_stands_twice_keeps_the_variables_of_both_lines() -> None:
    assert host("w1 a=1 b=1\nw1 b=2\n") == {"w1": {"a": 1, "b": 2}}


HOSTS = {
    "a port": ("w1:2222", {"w1": {"ansible_port": 2222}}),
    "a port and a variable": ("w1:2222 a=b", {"w1": {"ansible_port": 2222, "a": "b"}}),
    "a range": ("w[1:3]", {"w[1:3]": {}}),
    "a range with a port": ("w[1:3]:2222", {"w[1:3]": {"ansible_port": 2222}}),
    "a comment": ("w1 a=b # and more=c", {"w1": {"a": "b"}}),
    "a hash inside a value": ("w1 url=http://p/#x", {"w1": {"url": "http://p/#x"}}),
    "double quotes": ('w1 note="two words"', {"w1": {"note": "two words"}}),
    "single quotes": ("w1 note='a \"b\" c'", {"w1": {"note": 'a "b" c'}}),
    "a hash in quotes": ('w1 note="a # b" c=d', {"w1": {"note": "a # b", "c": "d"}}),
    "an open quote": ('w1 note="two words', {"w1": {"note": "two words"}}),
    "no value": ("w1 note=", {"w1": {"note": ""}}),
    "an equals sign in a value": ("w1 note=a=b", {"w1": {"note": "a=b"}}),
    "spaces around": ("   w1\ta=b  ", {"w1": {"a": "b"}}),
}


@pytest.mark.parametrize(("line", "expected"), HOSTS.values(), ids=HOSTS)
def test_the_line_of_a_host(line: str, expected: dict[str, Any]) -> None:
    assert host(line) == expected


VALUES = {
    "an integer": ("22", 22),
    "with a sign": ("-7", -7),
    "with a zero in front": ("007", 7),
    "a decimal": ("1.5", "1.5"),
    "true": ("true", True),
    "False": ("False", False),
    "yes": ("yes", "yes"),
    "TRUE": ("TRUE", "TRUE"),
    "a word": ("ops", "ops"),
    "in quotes": ('"22"', 22),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("text", "expected"), VALUES.values(), ids=VALUES)
def test_values_have_the_type_that_ansible_gives_them(text: str, expected: Any) -> None:
    found = tree(f"[g:vars]\nx = {text}\n")["g"]["vars"]["x"]

    assert (type(found), found) == (type(expected), expected)


def test_a_variable_keeps_its_spaces_and_its_comment_sign() -> None:
    found = tree("[g:vars]\nkey = ~/.ssh/a key\nproxy=http://p/#x\n")["g"]["vars"]

    assert found == {"key": "~/.ssh/a key", "proxy": "http://p/#x"}


def test_every_value_knows_its_line_and_column() -> None:
    entry = parse_ini("\n[g]\nw1 port=22\n[g:vars]\n a = b\n", Reader("hosts")).data["g"]

    def place(value: Value) -> tuple[int, int]:
        return (value.line, value.column)

    group = entry.value.data
    node = group["hosts"].value.data["w1"]
    port = node.value.data["port"]
    variable = group["vars"].value.data["a"]
    assert place(entry.key) == (2, 2)
    assert place(node.key) == (3, 1)
    assert (place(port.key), place(port.value)) == ((3, 4), (3, 9))
    assert (place(variable.key), place(variable.value)) == ((5, 2), (5, 6))


def test_a_port_stands_where_its_host_stands() -> None:
    node = parse_ini("[g]\n  w1:22\n", Reader("hosts")).data["g"].value.data["hosts"].value
    port = node.data["w1"].value.data["ansible_port"].value

    assert (port.data, port.line, port.column) == (22, 2, 3)


MISTAKES = {
    "a section of another kind": (
        "[gpu:what]\n",
        "hosts:1:1: '[gpu:what]' is not a section such as [group:vars]",
    ),
    "a section that is not closed": (
        "  [gpu\n",
        "hosts:1:3: '[gpu' is not a section such as [group:vars]",
    ),
    "a word after a host": ("[g]\nw1 a=b word\n", "hosts:2:8: w1: 'word' is not key=value"),
    "a variable without a value": (
        "[g:vars]\n  word\n",
        "hosts:2:3: g:vars: 'word' is not key=value",
    ),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_reported_at_its_place(text: str, expected: str) -> None:
    assert mistakes(text) == [expected]


def test_reading_goes_on_after_a_mistake() -> None:
    assert mistakes("[a:x]\n[b]\nw1 y\nw2 z\n") == [
        "hosts:1:1: '[a:x]' is not a section such as [group:vars]",
        "hosts:3:4: w1: 'y' is not key=value",
        "hosts:4:4: w2: 'z' is not key=value",
    ]


def test_a_child_is_the_first_word_of_its_line() -> None:
    assert tree("[a:children]\nb # the small ones\n")["a"] == {"children": {"b": None}}


@given(st.text("aw1:[]=#;\"' \n\\", max_size=60))
def test_any_text_is_a_tree_with_mistakes_inside_the_text(text: str) -> None:
    reader = Reader("hosts")
    found = plain(parse_ini(text, reader))

    assert "all" in found
    lines = text.splitlines()
    assert all(1 <= problem.line <= len(lines) for problem in reader.problems)
    for problem in reader.problems:
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1


def test_a_long_line_of_open_quotes_is_one_word() -> None:
    """It takes time in proportion to its length; its square would be hours."""
    assert len(mistakes("w1 " + '"' * 1_000_001)) == 1


@pytest.mark.parametrize("digits", [1, 20, 21, 5_000], ids="{} digits".format)
def test_a_number_of_more_digits_than_any_setting_has_stays_text(digits: int) -> None:
    number = "7" * digits
    value = host(f"w1 ansible_port={number}")["w1"]["ansible_port"]

    assert value == (int(number) if digits <= 20 else number)

"""Secrets of a YAML text: exactly the secret parts are hidden, and the layout stays."""

from __future__ import annotations

import pytest

from fleet.core.masking.spans import replaced, stars
from fleet.core.masking.yaml_values import yaml_spans


def masked(text: str, *, own: bool = False) -> str:
    return replaced(text, yaml_spans(text, own=own), stars)


TEXTS = {
    "a value": ("password: x\na: b\n", "password: ***\na: b\n"),
    "in quotes": ('password: "x"\n', "password: ***\n"),
    "a block": ("password: |\n  x\n  y\na: b\n", "password: ***\na: b\n"),
    "a folded block": ("password: >-\n  x\n\na: b\n", "password: ***\n\na: b\n"),
    "a user is shown": (
        "auth: {username: u, password: x}\n",
        "auth: {username: u, password: ***}\n",
    ),
    "the next key is public": ("auth:\n  x: y\na: b\n", "auth:\n  x: ***\na: b\n"),
    "headers": ("header:\n  X: [a, b]\n", "header:\n  X: [***, ***]\n"),
    "keys below a secret": ("password: {x: y}\n", "password: {***: ***}\n"),
    "a list of a login": ("auth: [a, {b: c}]\n", "auth: [***, {b: ***}]\n"),
    "a key that is a list": ("? [password]\n: x\na: b\n", "? [***]\n: ***\na: b\n"),
    "a key that is an alias": ("a: &k b\n*k : x\nc: d\n", "a: ***\n*** : ***\nc: d\n"),
    "a login of a URL": ("url: https://u:p@h\n", "url: https://***@h\n"),
    "a login of a key": ("https://u:p@h: {}\n", "https://***@h: {}\n"),
    "an option and its value": ("[--password, x, y]\n", "[--password, ***, y]\n"),
    "an alias of a secret": ("password: *x\n", "password: ***\n"),
    "a comment behind a secret": ("password: x # y\n", "password: *** #***\n"),
    "a comment below a secret": ("password: x\n# y\na: b\n", "password: ***\n# y\na: b\n"),
    "a comment in a login": (
        "auth:\n  username: u\n  # y\n  x: z\n",
        "auth:\n  username: u\n  #***\n  x: ***\n",
    ),
    "a comment behind a public value": ("a: b # y\n", "a: b # y\n"),
    "comments below one that names a secret": (
        "# password\n\n# x\na: b\n",
        "# password\n\n#***\na: b\n",
    ),
    "a comment below the next value": ("# password\na: b\n# x\n", "# password\na: b\n# x\n"),
    "a hash in a word": ("a: b#password=x\n", "a: ***\n"),
    "an anchor used by a secret": ("a: &x y\npassword: *x\n", "a: ***\npassword: ***\n"),
    "an anchor used by a public key": ("a: &x y\nb: *x\n", "a: &x y\nb: *x\n"),
    "an anchor by an anchor": (
        "a: &x y\nb: &z [*x]\npassword: *z\n",
        "a: ***\nb: &z [*x]\npassword: ***\n",
    ),
    "an anchored mapping": ("a: &x {b: c}\nauth: *x\n", "a: &x {***: ***}\nauth: ***\n"),
    "a second document": ("a: b\n---\npassword: x\n", "a: b\n---\npassword: ***\n"),
    "JSON": ('{"auth": {"x": 1}, "a": 2}\n', '{"auth": {"x": ***}, "a": 2}\n'),
    "a byte-order mark": ("\ufeffpassword: x\n", "\ufeffpassword: ***\n"),
    "CRLF": ("password: x\r\na: b\r\n", "password: ***\r\na: b\r\n"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("text", "shown"), TEXTS.values(), ids=list(TEXTS))
def test_what_is_shown(text: str, shown: str) -> None:
    assert masked(text) == shown


BROKEN = {
    "a mistake hides the values of its line": ("a: b\nmine: [x\n", "a: b\n***\n"),
    "and of all below": ("a: b\n]\nmine: x\ny\n", "***\n]\n***\n***\n"),
    "known settings below are shown": ("]\npassword: y\n", "]\npassword: ***\n"),
}


@pytest.mark.parametrize(("text", "shown"), BROKEN.values(), ids=list(BROKEN))
def test_from_a_mistake_on_no_value_is_shown(text: str, shown: str) -> None:
    assert masked(text) == shown


REFERENCES = {
    "a variable": ("password: env:PASS_1\n", "password: env:PASS_1\n"),
    "a quoted variable": ("password: 'env:PASS'\n", "password: 'env:PASS'\n"),
    "not a name of a variable": ("password: env:1x\n", "password: ***\n"),
    "more than a variable": ("password: env:A b\n", "password: ***\n"),
}


@pytest.mark.parametrize(("text", "shown"), REFERENCES.values(), ids=list(REFERENCES))
def test_a_variable_is_shown_in_the_users_own_files(text: str, shown: str) -> None:
    assert masked(text, own=True) == shown


def test_a_variable_is_not_known_in_a_nodes_file() -> None:
    assert masked("password: env:PASS\n") == "password: ***\n"


def test_a_nodes_file_with_too_many_values_is_hidden_from_there_on() -> None:
    text = "a:\n" + "- b\n" * 30_000

    shown = masked(text)

    assert shown.startswith("a:\n- b\n")
    assert shown.endswith("- b\n***")


def test_the_users_own_file_may_be_as_large() -> None:
    text = "a:\n" + "- b\n" * 30_000

    assert masked(text, own=True) == text


@pytest.mark.parametrize(("levels", "shown"), [(39, True), (41, False)])
def test_nesting_is_read_to_its_limit(levels: int, shown: bool) -> None:
    text = "[" * levels + "x" + "]" * levels

    assert ("x" in masked(text)) is shown

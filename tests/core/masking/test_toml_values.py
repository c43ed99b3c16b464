"""Secrets of a TOML text: exactly the secret parts are hidden, and the layout stays."""

from __future__ import annotations

import pytest

from fleet.core.masking.spans import replaced, stars
from fleet.core.masking.toml_values import toml_spans


def masked(text: str) -> str:
    return replaced(text, toml_spans(text), stars)


TEXTS = {
    "a value": ('password = "x"\na = "b"\n', 'password = ***\na = "b"\n'),
    "a literal string": ("password = 'x'\n", "password = ***\n"),
    "a number": ("password = 123\n", "password = ***\n"),
    "a string of many lines": ('password = """\nx\n"""\na = 1\n', "password = ***\na = 1\n"),
    "a literal of many lines": ("password = '''\nx'''\n", "password = ***\n"),
    "quotes at the end of a long string": ('password = """x"""""\n', "password = ***\n"),
    "a user is shown": (
        '[auth]\nusername = "u"\npassword = "x"\n',
        '[auth]\nusername = "u"\npassword = ***\n',
    ),
    "the next table is public": (
        '[auth]\nx = "y"\n[a]\nx = "y"\n',
        '[auth]\nx = ***\n[a]\nx = "y"\n',
    ),
    "a dotted key": ('a . "password" = "x"\n', 'a . "password" = ***\n'),
    "an escaped key": ('"pass\\u0077ord" = "x"\n', '"pass\\u0077ord" = ***\n'),
    "a long escaped key": ('"pass\\U00000077ord" = "x"\n', '"pass\\U00000077ord" = ***\n'),
    "an escape of no character": ('"a\\UFFFFFFFF" = "x"\n', '"a\\UFFFFFFFF" = "x"\n'),
    "an escape is nothing in a literal key": ("'pa\\u0073sword' = 1\n",) * 2,
    "headers in a table": ('[header]\nX = ["a", "b"]\n', "[header]\nX = ***\n"),
    "headers inline": ('header = {X = ["a"], Y = "b"}\n', "header = {X = ***, Y = ***}\n"),
    "a list of a login": ('auth = ["a", "b"]\n', "auth = [***, ***]\n"),
    "a list of a secret": ('password = ["a", "b"]\n', "password = ***\n"),
    "tables in a list": ('a = [{password = "x", b = 1}]\n', "a = [{password = ***, b = 1}]\n"),
    "keys below a secret": ('[password]\nx.y = "z"\n', "[password]\n***.***= ***\n"),
    "a login of a URL": ('server = "https://u:p@h"\n', 'server = "https://***@h"\n'),
    "a login of an escaped URL": ('s = "https://u:p\\u0040h"\n', "s = ***\n"),
    "an escaped letter in a secret": ('s = "pass\\u0077ord=x"\n', "s = ***\n"),
    "a login of a key": ('[host."https://u:p@h"]\n', '[host."https://***@h"]\n'),
    "an option and its value": ('a = ["--password", "x", "y"]\n', 'a = ["--password", ***, "y"]\n'),
    "an option ends with its list": (
        'a = ["--password"]\nb = "x"\n',
        'a = ["--password"]\nb = "x"\n',
    ),
    "a comment behind a secret": ('password = "x" # y\n', "password = *** #***\n"),
    "a comment behind a table of secrets": ("[auth] # y\n", "[auth] #***\n"),
    "a comment in a table of secrets": ("[auth]\n# y\n[a]\n# z\n", "[auth]\n#***\n[a]\n# z\n"),
    "a comment behind a public value": ("a = 1 # y\n", "a = 1 # y\n"),
    "a comment in a list of secrets": ('auth = [ # y\n  "x" ]\n', "auth = [ #***\n  *** ]\n"),
    "a comment in a public list": ('a = [ # y\n  "x" ]\n', 'a = [ # y\n  "x" ]\n'),
    "comments below one that names a secret": (
        "# password\n\n# x\na = 1\n",
        "# password\n\n#***\na = 1\n",
    ),
    "a comment below a setting": ("# password\na = 1\n# x\n", "# password\na = 1\n# x\n"),
    "CRLF": ('password = "x"\r\na = 1\r\n', "password = ***\r\na = 1\r\n"),
    "a byte-order mark": ('\ufeffpassword = "x"\n', "\ufeffpassword = ***\n"),
    "no line end": ('password = "x"', "password = ***"),
    "nothing": ("", ""),
    "values of all kinds": ("a = [1.5, -1, true, inf, 1979-05-27 07:32:00Z]\n",) * 2,
}


@pytest.mark.parametrize(("text", "shown"), TEXTS.values(), ids=list(TEXTS))
def test_what_is_shown(text: str, shown: str) -> None:
    assert masked(text) == shown


BROKEN = {
    "an open header": ("a = 1\n[x\nmine = 2\n", "a = 1\n***\n***\n"),
    "a double bracket that is closed once": ("[[x]\n", "***\n"),
    "no equals sign": ("mine 1\n", "***\n"),
    "no value": ("mine =\n", "***\n"),
    "no key": ("= 1\n", "***\n"),
    "an unknown value": ("mine = word\n", "***\n"),
    "two values": ("mine = 1 x\n", "***\n"),
    "an open string": ('mine = "x\n', "***\n"),
    "an open list": ("mine = [1,\n", "***\n"),
    "a key without a value in a table": ("mine = {x}\n", "***\n"),
    "a known setting is still shown": ("mine\npassword = x\n", "***\npassword = ***\n"),
    "statements above are read": ('username = "u"\nmine\n', 'username = "u"\n***\n'),
}


@pytest.mark.parametrize(("text", "shown"), BROKEN.values(), ids=list(BROKEN))
def test_from_a_mistake_on_no_value_is_shown(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_a_text_with_too_many_values_is_hidden_from_there_on() -> None:
    text = "[a]\n" + "k = 1\n" * 20_000

    shown = masked(text)

    assert shown.startswith("[a]\nk = 1\n")
    assert shown.endswith("k = 1\n***")
    assert 5_000 < shown.count("\n") < 15_000


def test_deep_nesting_is_read() -> None:
    text = "a = " + "[" * 5_000 + "{password = 'x'}" + "]" * 5_000 + "\n"

    assert masked(text) == text.replace("'x'", "***")

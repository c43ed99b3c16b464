"""A random secret at a secret place of a random layout is never shown."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.core.masking import Fingerprints, masked_file, yaml_spans
from fleet.core.masking.toml_values import toml_spans

MARK = Fingerprints(b"k" * 32)
SECRETS = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=8, max_size=20
).map(lambda text: f"Zq{text}qZ")
PLAIN = st.text("abcxyz019._-", min_size=1, max_size=8)
PLACES = st.sampled_from(
    [
        ("auth", "password"),
        ("auth", "auth"),
        ("auth", "identitytoken"),
        ("header", "X-Any"),
        ("headers", "Authorization"),
        ("password",),
        ("registry", "token"),
    ]
)
SPACE = st.text(" \t", max_size=3)
COMMENTS = st.sampled_from(["", "# ours\n", "\n", "# a [x]\n", "#\n\n"])


def basic(text: str, escaped: set[int]) -> str:
    """Write a TOML or JSON string in which some characters are escaped."""
    found = (
        "".join(f"\\u{unit:04x}" for unit in _units(mark)) if number in escaped else _plain(mark)
        for number, mark in enumerate(text)
    )
    return f'"{"".join(found)}"'


def _units(mark: str) -> list[int]:
    return [ord(mark)] if ord(mark) < 0x10000 else []


def _plain(mark: str) -> str:
    return f"\\{mark}" if mark in '"\\' else mark


@st.composite
def keys(draw: st.DrawFn, name: str) -> str:
    """Write a key bare, in quotes, or with escapes."""
    how = draw(st.sampled_from(["bare", "basic", "literal", "escaped"]))
    return {
        "bare": name,
        "basic": f'"{name}"',
        "literal": f"'{name}'",
        "escaped": basic(name, {draw(st.integers(0, len(name) - 1))}),
    }[how]


@st.composite
def values(draw: st.DrawFn, secret: str) -> str:
    """Write a secret as a TOML value."""
    text = basic(
        secret, draw(st.sets(st.integers(0, 5), max_size=2)) if secret.isascii() else set()
    )
    literal = f"'{secret}'" if "'" not in secret else text
    long = '"""\n' + secret.replace("\\", "\\\\").replace('"', '\\"') + '"""'
    plain = draw(st.sampled_from([text, literal, long]))
    gap = draw(st.sampled_from(["", " ", "\n  ", " # ours\n"]))
    return draw(st.sampled_from([plain, f"[{gap}{plain},{gap}]", f"[{gap}[{plain}],\n'b']"]))


@st.composite
def toml(draw: st.DrawFn) -> tuple[str, str]:
    """Write a TOML text with a secret: in a table, with dotted keys, or inline."""
    secret, place = draw(SECRETS), draw(PLACES)
    names = [draw(keys(name)) for name in ("registry", *place)]
    value, space = draw(values(secret)), draw(SPACE)
    head = "".join(draw(COMMENTS) for _ in range(2)) + f"{draw(PLAIN)}k = 1\n"
    table = f"[{'.'.join(names[:-1])}]\n{space}{names[-1]}{space}={space}{value}\n"
    dotted = f"{f'{space}.{space}'.join(names)} = {value}\n"
    inline = value
    for name in reversed(names[1:]):
        inline = f"{{{space}a = 1, {name}{space}={space}{inline}{space}}}"
    text = draw(st.sampled_from([table, dotted, f"{names[0]} = {inline}\n"]))
    return secret, f"{head}{text}{draw(COMMENTS)}{draw(PLAIN)}z = 'end'\n"


@st.composite
def yaml(draw: st.DrawFn) -> tuple[str, str]:
    """Write a YAML text with a secret: as a block, in flow, or as JSON."""
    secret, place = draw(SECRETS), ("configs", *draw(PLACES))
    quoted = json.dumps(secret, ensure_ascii=draw(st.booleans()))
    single = "'" + secret.replace("'", "''") + "'"
    block = draw(st.sampled_from(["|", ">", "|-", ">+"]))
    depth = len(place)
    lines = [f"{'  ' * number}{name}:" for number, name in enumerate(place)]
    below = "  " * depth
    tail = draw(
        st.sampled_from(
            [f" {quoted}", f" {single}", f" {block}\n{below}{secret}", f"\n{below}- {quoted}",
             f" &a {single}", f" [{quoted}, b]"]
        )
    )  # fmt: skip
    flow = quoted
    for name in reversed(place):
        flow = draw(st.sampled_from([f'{{"{name}": {flow}}}', f"{{a: b, {name}: {flow}}}"]))
    text = draw(st.sampled_from(["\n".join(lines) + tail + "\n", flow + "\n"]))
    return secret, draw(st.sampled_from(["", "# ours\n", "---\n"])) + text


def assert_hidden(shown: str, secret: str) -> None:
    assert secret not in shown
    assert json.dumps(secret)[1:-1] not in shown
    assert secret[:5] not in shown
    assert secret[-5:] not in shown


@settings(max_examples=400, deadline=None)
@given(toml())
def test_of_toml(written: tuple[str, str]) -> None:
    secret, text = written

    assert_hidden(masked_file("a.toml", text, MARK), secret)


@settings(max_examples=400, deadline=None)
@given(yaml())
def test_of_yaml(written: tuple[str, str]) -> None:
    secret, text = written

    assert_hidden(masked_file("a.yaml", text, MARK), secret)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("[]{}\"'=.,#\\ \n\r\tab:-|>&*!%@?/\ufeffé")))
def test_any_text_is_read_to_its_end(text: str) -> None:
    for spans in (toml_spans(text), yaml_spans(text)):
        assert spans == sorted(spans)
        assert all(0 <= start < end <= len(text) for start, end in spans)

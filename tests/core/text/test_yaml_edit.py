"""Edits of YAML text: what is not named keeps its bytes, what is written is read as meant."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from fleet.core.text.yaml_edit import edit_yaml
from fleet.core.text.yaml_values import YamlEditError, yaml_string
from tests.lab.registries_yaml import Reader, k3s_reader

DOCKER = {("mirrors", "docker.io"): {"endpoint": ["https://m.example"]}}
TLS = {("configs", "h.example", "tls"): {"insecure_skip_verify": True}}
WRITTEN = '  "docker.io":\n    "endpoint":\n      - "https://m.example"\n'


@pytest.fixture(scope="module")
def k3s() -> Reader:
    reader = k3s_reader()
    if reader is None:
        pytest.skip("no Go on this machine to build k3s's YAML reader with")
    return reader


# What was there, what it becomes; `+` stands for the entry of docker.io.
EDITS = {
    "an empty file": ("", "+", "mirrors"),
    "comments alone": ("# ours\n", "# ours\n+", "mirrors"),
    "no line end": ("configs: {}", "configs: {}\n+", "mirrors"),
    "a document mark": ("---\n", "---\n+", "mirrors"),
    "an end mark": ("configs: {}\n...\n", "configs: {}\n+...\n", "mirrors"),
    "nothing below mirrors": ("mirrors: # ours\n# b\n", "mirrors: # ours\n*# b\n", ""),
    "null below mirrors": ("mirrors: ~\n", "mirrors: \n*", ""),
    "another entry": (
        "mirrors:\n  a: {endpoint: [0123, 1e3]} # c\n# d\n",
        "mirrors:\n  a: {endpoint: [0123, 1e3]} # c\n*# d\n",
        "",
    ),
    "an entry in braces": (
        "mirrors: {docker.io: {endpoint: [x]}, b: {}} # c\n",
        'mirrors: {docker.io: {"endpoint": ["https://m.example"]}, b: {}} # c\n',
        "",
    ),
    "braces without it": (
        "mirrors: {b: {endpoint: [1]}, } # c\n",
        'mirrors: {b: {endpoint: [1]}, "docker.io": {"endpoint": ["https://m.example"]}, } # c\n',
        "",
    ),
    "empty braces": (
        "{}\n",
        '{"mirrors": {"docker.io": {"endpoint": ["https://m.example"]}}}\n',
        "",
    ),
    "its entry, another value": (
        "mirrors:\n    # a\n    docker.io: # b\n        endpoint:\n            - x\n    # c\n",
        'mirrors:\n    # a\n    docker.io: # b\n        "endpoint":\n'
        '          - "https://m.example"\n    # c\n',
        "",
    ),
    "its entry, null": (
        "mirrors:\n  docker.io:\n  b: {}\n",
        'mirrors:\n  docker.io: {"endpoint": ["https://m.example"]}\n  b: {}\n',
        "",
    ),
    "as it is wanted": (
        "mirrors:\n  'docker.io' : {endpoint: [  https://m.example ]}\n",
        "mirrors:\n  'docker.io' : {endpoint: [  https://m.example ]}\n",
        "",
    ),
    "its entry by a merge alone": (
        "x: &x {docker.io: {endpoint: [a]}}\nmirrors:\n  <<: *x\n",
        "x: &x {docker.io: {endpoint: [a]}}\nmirrors:\n  <<: *x\n*",
        "",
    ),
}


@pytest.mark.parametrize(("before", "after", "key"), EDITS.values(), ids=list(EDITS))
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_one_entry_is_set_and_nothing_else_moves(
    before: str, after: str, key: str, newline: str
) -> None:
    section = f'"{key}":\n{WRITTEN}'
    wanted = after.replace("+", section).replace("*#", f"{WRITTEN}#")
    wanted = wanted if not wanted.endswith("\n*") else wanted[:-1] + WRITTEN
    source = before.replace("\n", newline)
    newline = newline if newline in source else "\n"

    found = edit_yaml(source, DOCKER)

    assert found == wanted.replace("\n", newline)
    assert edit_yaml(found, DOCKER) == found


def test_entries_that_are_gone_take_their_lines_and_no_more() -> None:
    before = (
        "mirrors:\n  # of a\n  a: {endpoint: [x]} # a\n  # of b\n  b:\n    endpoint:\n    - y\n"
        "# of configs\nconfigs:\n  h:\n    auth: {password: 0123}\n    tls:\n      ca_file: z\n"
    )

    found = edit_yaml(before, {}, frozenset({("mirrors", "b"), ("configs", "h", "tls")}))

    assert found == (
        "mirrors:\n  # of a\n  a: {endpoint: [x]} # a\n  # of b\n"
        "# of configs\nconfigs:\n  h:\n    auth: {password: 0123}\n"
    )


def test_a_mapping_that_loses_its_last_entry_goes_as_well() -> None:
    text = edit_yaml("a: 1\n", {**DOCKER, **TLS})

    assert edit_yaml(text, {}, frozenset({*DOCKER, *TLS})) == "a: 1\n"
    assert edit_yaml("mirrors: {a: {}, b: {}, c: {}}\n", {}, frozenset({("mirrors", "b")})) == (
        "mirrors: {a: {}, c: {}}\n"
    )
    gone = frozenset({("mirrors", "b"), ("mirrors", "c")})
    assert edit_yaml("mirrors: {a: {}, b: {}, c: {}, }\n", {}, gone) == "mirrors: {a: {}, }\n"


def test_the_login_of_a_host_stays_where_its_tls_is_written() -> None:
    before = "configs:\n  h.example:\n    auth:\n      password: 0123 # keep\n"

    found = edit_yaml(before, TLS)

    assert found == before + '    "tls":\n      "insecure_skip_verify": true\n'


REFUSED = {
    "an alias": "x: &x {a: {}}\nmirrors: *x\n",
    "an anchor that others use": "mirrors:\n  docker.io: &d\n    endpoint: [x]\n  b: *d\n",
    "a list": "mirrors: [a]\n",
    "no YAML": "mirrors: [\n",
    "a word": "hello\n",
    "a key that is a list": "? [a]\n: b\n",
    "null in a document": "--- ~\n",
    "line ends of CR": "# ours\rmirrors:\r  docker.io: {}\r",
    "line ends of Unicode": "# ours\u2028mirrors: {}\n",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_edited_locally_is_refused(text: str) -> None:
    with pytest.raises(YamlEditError):
        edit_yaml(text, DOCKER)


def test_a_form_that_cannot_be_edited_is_not_told_as_bad_yaml() -> None:
    with pytest.raises(YamlEditError, match="cannot be edited without changing other lines"):
        edit_yaml("mirrors:\n  ? a\n  : {}\n", DOCKER)


# Plain words that resolvers of YAML 1.1 or 1.2, or of one library, take for something else.
WORDS = (
    *("0123", "0x1F", "1e3", "3.10", "1_000", "0o17", "0b11", "12:30:45", "1:20", ".5", "+1", "-0"),
    *("yes", "no", "on", "off", "y", "N", "true", "False", "~", "null", "", "<<", "=", ".inf"),
    *(".NaN", "2001-12-14", "2001-12-14T21:59:43Z", "!!str a", "&a", "*a", "- a", "a: b", "a #b"),
    *("'", '"', "\\", "\\n", " a ", "a\tb", "a\nb", "a\r\nb", "\x00", "\x07", "\x7f", "\x85"),
    *("\u00e9", "\u2028", "\u2029", "\ufeff", "\ufffe", "\U0001f600", "%x", "@x", "`x", "{a}"),
)


def wanted_of(word: str) -> dict[tuple[str, ...], Any]:
    return {
        ("mirrors", f"r{word}"): {"endpoint": [word], "rewrite": {f"^{word}": word}},
        ("configs", "h", "auth"): {"username": word, "password": f"{word}{word}"},
    }


@pytest.mark.parametrize("word", WORDS)
def test_what_is_written_is_read_as_meant_by_the_yaml_of_k3s(word: str, k3s: Reader) -> None:
    text = edit_yaml("mirrors: {t: {endpoint: [0x1F]}}\n# ours\n", wanted_of(word))

    found = k3s.read(text)

    assert found.error is None
    for each in (found.v2, found.v3):
        mirror = each["mirrors"][f"r{word}"]
        assert mirror == {"endpoint": [word], "rewrite": {f"^{word}": word}}
        assert each["configs"]["h"]["auth"].get("password", "") == f"{word}{word}"
        assert each["mirrors"]["t"] == {"endpoint": ["0x1F"]}


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(TEXTS)
def test_every_string_comes_back_from_python_too(text: str) -> None:
    assert yaml.safe_load(yaml_string(text)) == text


NAMES = st.sampled_from(["docker.io", "quay.io", "r:5000", "0123", "yes", "*"])
SCALARS = st.sampled_from(["0123", "1e3", "yes", "~", "'x'", '"\\x41"', "a b", "3.10"])
ENTRIES = st.one_of(
    st.builds("{{endpoint: [{}]}}".format, SCALARS),
    st.builds("\n    endpoint:\n    - {} # c\n    # d".format, SCALARS),
    st.builds("\n    endpoint: [{}]\n\n    rewrite: {{a: b}}".format, SCALARS),
    st.builds("&x{} {{endpoint: [a]}}".format, st.integers(1, 2)),
    st.sampled_from(["", "~", "*x1", "{}", "# c"]),
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """Return a registries.yaml as people write it, and the text of each entry."""
    names = draw(st.lists(NAMES, unique=True, max_size=4))
    entries = {name: f"  '{name}': {draw(ENTRIES)}\n" for name in names}
    head = draw(st.sampled_from(["", "# ours\n", "---\n", "x: &x1 {endpoint: [z]}\n"]))
    tail = draw(st.sampled_from(["", "# end\n", "auths: {}\n", "configs:\n  h: {tls: {}}\n"]))
    return head + "mirrors:\n" + "".join(entries.values()) + tail, entries


EDITED = (documents(), st.lists(NAMES, unique=True, max_size=3), st.sets(NAMES, max_size=2), TEXTS)
Wanted = dict[tuple[str, ...], Any]


def edited(text: str, wanted: Wanted, gone: set[str]) -> str:
    """Return an edited text; drop the example if it cannot be edited."""
    try:
        return edit_yaml(text, wanted, frozenset(("mirrors", name) for name in gone))
    except YamlEditError:
        reject()


@settings(max_examples=400, deadline=None)
@given(*EDITED)
def test_untouched_entries_keep_their_bytes_whatever_is_written(
    document: tuple[str, dict[str, str]], set_names: list[str], gone: set[str], word: str
) -> None:
    text, entries = document
    wanted: Wanted = {("mirrors", name): {"endpoint": [word]} for name in set_names}

    found = edited(text, wanted, gone)

    untouched = [entry for name, entry in entries.items() if name not in {*set_names, *gone}]
    assert [entry for entry in untouched if entry not in found] == []


@settings(max_examples=400, deadline=None)
@given(document=EDITED[0], set_names=EDITED[1], gone=EDITED[2], word=EDITED[3])
def test_k3s_reads_what_was_meant_and_the_rest_as_before(
    k3s: Reader,
    document: tuple[str, dict[str, str]],
    set_names: list[str],
    gone: set[str],
    word: str,
) -> None:
    text, _ = document
    before = k3s.read(text)
    assume(before.error is None)
    wanted: Wanted = {("mirrors", name): {"endpoint": [word]} for name in set_names}

    after = k3s.read(edited(text, wanted, gone))

    assert after.error is None
    kept = {n: body for n, body in before.v2.get("mirrors", {}).items() if n not in gone}
    meant = {**kept, **{name: {"endpoint": [word]} for name in set_names}}
    assert after.v2.get("mirrors", {}) == meant
    assert after.v2.get("configs", {}) == before.v2.get("configs", {})

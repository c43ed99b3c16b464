"""Characters that only look right are named as what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.config.load import load_inventory, load_mirrors
from fleet.errors import ConfigErrors, Problem

INVENTORIES = {
    "a colon after a key": ("all:\n  hosts\uff1a\n    w1: {}\n", (2, 8), "a full-width colon", ":"),
    "a colon in a line": (
        "all:\n  hosts: {a: {user\uff1a ops}}\n", (2, 19), "a full-width colon", ":",
    ),
    "a comma": ("all: {hosts: {a: {}\uff0c b: {}}}\n", (1, 20), "a full-width comma", ","),
    "a digit": (
        "all: {hosts: {a: {port: \uff12\uff12}}}\n", (1, 25), "a full-width digit two", "2",
    ),
    "a space": ("all:\n  hosts: {a: {site: x\u3000y}}\n", (2, 22), "a full-width space", " "),
    "a quote": ("all:\n  hosts: {a: {user: \u201cx\u201d}}\n", (2, 21), "a curly quote", '"'),
    "a dash": ("all:\n  hosts:\n    w[1\u20133]: {}\n", (3, 8), "a dash", "-"),
    "a no-break space": ("all:\n  hosts:\n    a\u00a0b: {}\n", (3, 6), "a no-break space", " "),
}  # fmt: skip


@pytest.mark.parametrize(("text", "place", "what", "use"), INVENTORIES.values(), ids=INVENTORIES)
def test_a_character_is_shown_as_what_it_is(
    tmp_path: Path, text: str, place: tuple[int, int], what: str, use: str
) -> None:
    (problem,) = mistakes(tmp_path, text)

    character = text.splitlines()[place[0] - 1][place[1] - 1]
    quoted = "a space" if use == " " else f"'{use}'"
    assert (problem.line, problem.column) == place
    assert problem.message == f"{what} (U+{ord(character):04X}): use {quoted}"


def test_good_values_and_comments_in_any_script_stay(tmp_path: Path) -> None:
    text = "all: {hosts: {a: {site: \u5317\u4eac}}} # \uff1a\n"
    (tmp_path / "inventory.yaml").write_text(text)

    assert load_inventory(tmp_path / "inventory.yaml").nodes[0].site == "\u5317\u4eac"


def test_a_comment_is_not_blamed(tmp_path: Path) -> None:
    (problem,) = mistakes(tmp_path, "all: {hosts: {a: {port: x}}} # \uff1a\n")

    assert "expected an integer" in problem.message


def test_the_scheme_of_a_url_is_looked_at_too(tmp_path: Path) -> None:
    path = tmp_path / "mirrors.yaml"
    path.write_text("mirrors: {quay.io: {endpoints: [https\uff1a//a.example]}}\n")

    with pytest.raises(ConfigErrors, match=r"1:38: a full-width colon \(U\+FF1A\): use ':'"):
        load_mirrors(path)


def mistakes(folder: Path, text: str) -> tuple[Problem, ...]:
    path = folder / "inventory.yaml"
    path.write_text(text)
    with pytest.raises(ConfigErrors) as caught:
        load_inventory(path)
    return caught.value.problems

"""The line of a mistake is shown with a caret, and never with a secret."""

from __future__ import annotations

import pytest

from fleet.core.masking.excerpt import with_excerpts
from fleet.errors import Problem


def shown(text: str, line: int, column: int) -> str:
    (problem,) = with_excerpts([Problem("f", line, column, "wrong")], text)
    return problem.shown()


def test_the_caret_stands_below_the_word() -> None:
    assert shown("all:\n  vars: {usr: ops}\n", 2, 10) == (
        "f:2:10: wrong\n   |\n 2 |   vars: {usr: ops}\n   |          ^^^"
    )


@pytest.mark.parametrize("column", [1, 30, 90, 190])
def test_a_long_line_is_cut_around_the_place(column: int) -> None:
    text = "x" * (column - 1) + " mistake " + "y" * 200

    head, _, line, caret = shown(text, 1, column + 1).splitlines()

    assert head.startswith("f:1:")
    assert len(line) < 85
    start = caret.index("^")
    assert line[start : start + 7] == "mistake"


SECRETS = {
    "a password": ("password: hunter2", 1),
    "with spaces": ("password: hunter2 hunter2", 1),
    "quoted": ('{"password": "hunter2"}', 1),
    "a list": ("auth: {username: robot, password: [hunter2]}", 1),
    "below auth": ("auth:\n  key: hunter2", 2),
    "a block": ("password: |\n  key: hunter2", 2),
    "an item": ("password:\n  - hunter2", 2),
    "a URL": ("- https://robot:hunter2@harbor.example/v2", 1),
    "a header": ("{url: x, header: {X-Key: hunter2, Y: 3}}", 1),
    "below a header": ("header:\n  X-Key: hunter2", 2),
    "a list of a header": ("header:\n  X-Key:\n    - hunter2", 3),
    "in an INI": ("w1 ansible_ssh_pass=hunter2 port=x", 1),
    "armor": ("  aHVudGVyMg" + "hunter2" * 8, 1),
}


@pytest.mark.parametrize(("text", "line"), SECRETS.values(), ids=list(SECRETS))
def test_secrets_are_stars_and_nothing_moves(text: str, line: int) -> None:
    (problem,) = with_excerpts([Problem("f", line, 1, "wrong")], text)

    assert problem.excerpt is not None
    assert "hunter2" not in problem.shown()
    assert "***" in problem.excerpt.text
    assert len(problem.excerpt.text) == len(text.splitlines()[line - 1])


def test_what_is_no_secret_stays() -> None:
    text = "auth: {username: robot, password: env:HARBOR}"

    assert text in shown(text, 1, 1)
    assert "identity_file: ~/.ssh/key" in shown("identity_file: ~/.ssh/key", 1, 1)


def test_a_mistake_of_no_line_has_no_excerpt() -> None:
    assert shown("", 1, 1) == "f:1:1: wrong"

"""Placeholders of the first files are refused until they are replaced."""

from __future__ import annotations

import pytest

from fleet.config.placeholders import PLACEHOLDER, placeholder_problems, without_placeholders
from fleet.core.text.yaml import parse_yaml
from fleet.errors import Problem

PLACES = {
    "a node's name": ("all:\n  hosts:\n    CHANGE_ME: {}\n", (3, 5), "the name of a node"),
    "its address": ("all:\n  hosts:\n    w1: {host: CHANGE_ME}\n", (3, 16), "the address of that"),
    "a login": ("all:\n  vars: {user: CHANGE_ME}\n", (2, 16), "the login on the nodes"),
    "a mirror": ("mirrors:\n  a.b:\n    endpoints: [https://CHANGE_ME]\n", (3, 17), "your mirror"),
    "an image": ("mirrors:\n  a.b:\n    verify: CHANGE_ME\n", (3, 13), "an image that every"),
    "anything else": ("x: [CHANGE_ME]\n", (1, 5), "your own value"),
}


def problems(text: str) -> list[Problem]:
    return placeholder_problems(parse_yaml(text, "f", []), "f")


@pytest.mark.parametrize(("text", "place", "meaning"), PLACES.values(), ids=PLACES)
def test_a_placeholder_is_named_with_what_belongs_there(
    text: str, place: tuple[int, int], meaning: str
) -> None:
    (problem,) = problems(text)

    assert (problem.line, problem.column) == place
    assert problem.message.startswith(f"replace {PLACEHOLDER} with ")
    assert meaning in problem.message


def test_a_file_without_placeholders_has_no_such_problems() -> None:
    assert problems("all: {hosts: {w1: {host: 10.0.0.1}}}\n") == []


def test_a_placeholder_hides_other_problems_of_the_same_value() -> None:
    placeholder, same, other = (Problem("f", line, 5, text) for line, text in [
        (3, "replace"), (3, "not a URL"), (4, "not a URL"),
    ])  # fmt: skip

    assert without_placeholders([same, other], [placeholder]) == [placeholder, other]

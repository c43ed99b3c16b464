"""Text that cannot be parsed: known settings and brackets are shown, and no value is."""

from __future__ import annotations

import pytest

from fleet.core.masking.spans import replaced, stars
from fleet.core.masking.structure import structure_spans


def masked(text: str, start: int = 0, *, short: bool = True) -> str:
    return replaced(text, structure_spans(text, start, short=short), stars)


LINES = {
    "a known setting": ("config_path = /x", "config_path = ***"),
    "with a margin": ("\t config_path = /x", "\t config_path = ***"),
    "a known setting of YAML": ("password: x", "password: ***"),
    "in a list": ("  - url: x", "  - url: ***"),
    "a quoted setting": ('"auth": x', '"auth": ***'),
    "commented out": ("# password = x", "# password = ***"),
    "with an open bracket": ('endpoint = ["x"]', "endpoint = [***"),
    "an empty value": ("auth:", "auth:"),
    "an unknown setting": ("mine = x", "***"),
    "an unknown setting with a margin": ("  mine = x", "  ***"),
    "a known table": ("[plugins.registry]", "[plugins.registry]"),
    "a known array of tables": ("[[host]]", "[[host]]"),
    "a plugin's table": (
        '[plugins."io.containerd.grpc.v1.cri".registry]',
        '[plugins."io.containerd.grpc.v1.cri".registry]',
    ),
    "a table with a name of one's own": ('[host."x"]', "***"),
    "a table and more": ("[host] x", "***"),
    "brackets alone": ("  }], ", "  }], "),
    "brackets and more": ("}] x", "***"),
    "an empty line": ("", ""),
    "spaces at the end": ("mine = x  ", "***  "),
    "a comment": ("# x", "# ***"),
    "a word that begins like a setting": ("hostname = x", "***"),
}


@pytest.mark.parametrize(("line", "shown"), LINES.values(), ids=list(LINES))
def test_what_is_shown_of_a_line(line: str, shown: str) -> None:
    assert masked(line) == shown


def test_every_line_is_judged_by_itself() -> None:
    assert masked("[auth]\nx\n\npassword = y\n") == "[auth]\n***\n\npassword = ***\n"


def test_text_before_the_start_is_left_alone() -> None:
    assert masked("shown\nhidden\n", start=6) == "shown\n***\n"


def test_a_long_text_is_hidden_whole() -> None:
    assert masked("auth:\n", short=False) == "***"


@pytest.mark.parametrize(
    ("characters", "shown"), [(100_000, True), (100_001, False)], ids=["at the limit", "above it"]
)
def test_the_most_characters(characters: int, shown: bool) -> None:
    text = "auth:".ljust(characters)

    assert (masked(text) == text) is shown


def test_lines_above_the_limit_are_hidden_as_one() -> None:
    text = "auth:\n" * 5_001

    assert masked(text) == "auth:\n" * 5_000 + "***"

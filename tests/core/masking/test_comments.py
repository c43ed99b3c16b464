"""Comments: a setting that was commented out is hidden from its name on."""

from __future__ import annotations

import pytest

from fleet.core.masking.comments import BLOCK, names_secret, spans
from fleet.core.masking.spans import replaced, stars


def masked(text: str, *, hidden: bool = False) -> str:
    """Return what is shown of a text that is one block of comments."""
    return replaced(text, spans(text, 0, len(text), hidden=hidden), stars)


COMMENTS = {
    "words": ("# the mirror of the site", "# the mirror of the site"),
    "a password": ('# password = "x"', "# password***"),
    "in capital letters": ("# Password: x", "# Password***"),
    "a header": ("# [host.a.header]\n# X = y", "# [host.a.header***"),
    "the lines below": ("# ours\n# token:\n#  x\n#  y", "# ours\n# token***"),
    "a login of a URL": ("# https://u:p@h, ours", "# https://***@h, ours"),
    "a login above a secret": ("# https://u:p@h\n# pw: x", "# https://***@h\n# pw***"),
    "a secret above a login": ("# pw: x\n# https://u:p@h", "# pw***"),
}


@pytest.mark.parametrize(("text", "shown"), COMMENTS.values(), ids=list(COMMENTS))
def test_what_is_shown_of_a_comment(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_a_comment_at_a_secret_place_is_hidden_behind_its_mark() -> None:
    assert masked("# ours", hidden=True) == "#***"


def test_a_comment_inside_a_text_is_masked_at_its_place() -> None:
    text = "a = 1 # pw x\nb = 2\n"

    assert replaced(text, spans(text, 6, 12, hidden=False), stars) == "a = 1 # pw***\nb = 2\n"


NAMING = [
    *("passwd", "password", "passphrase", "a secret", "tokens", "credential", "headers", "cookie"),
    *("bearer", "private", "api_key", "api-key", "apikey", "auth", "auths", "authorization"),
    *("basic", "pass", "my_pass", "pwd", "pw", "cred", "creds", "login", "PW"),
]


@pytest.mark.parametrize("word", NAMING)
def test_a_word_for_a_secret(word: str) -> None:
    comment = f"# {word} x"

    assert names_secret(comment, 0, len(comment))


@pytest.mark.parametrize(
    "word", ["author", "authentic", "basically", "compass", "passive", "pwned", "upward", "credit"]
)
def test_a_longer_word_is_another_word(word: str) -> None:
    comment = f"# {word} x"

    assert not names_secret(comment, 0, len(comment))


def test_only_the_comment_counts_not_the_text_around_it() -> None:
    text = "password # ours\ntoken"

    assert not names_secret(text, 9, 15)


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("# a\n# b\nc", "# a\n# b"),
        ("# a\n\n# b", "# a"),
        ("# a\n\t # b", "# a\n\t # b"),
        ("#", "#"),
    ],
    ids=["lines", "a blank line ends it", "a margin", "an empty comment"],
)
def test_comments_on_consecutive_lines_are_a_block(text: str, block: str) -> None:
    match = BLOCK.match(text)

    assert match is not None
    assert match[0] == block

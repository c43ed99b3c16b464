"""The keys of a node: the aliases and the secrets among foreign names."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.config.inventory.keys import ALIASES, FOREIGN, KEYS, SECRETS
from fleet.config.reader import Reader
from tests.support.values import parsed


def read(key: str, text: str) -> tuple[Any, list[str]]:
    """Return the value of one key, and the messages about it."""
    reader = Reader("i")
    found = KEYS[key].read(reader, parsed(text), key)
    return found, [problem.message for problem in reader.problems]


@pytest.mark.parametrize("key", KEYS)
def test_every_key_refuses_a_list(key: str) -> None:
    found, (message,) = read(key, "[a]")

    assert found is None
    assert message.endswith("got a list")


def test_an_alias_stands_for_a_key_and_is_none_itself() -> None:
    assert set(ALIASES.values()) <= KEYS.keys()
    assert not ALIASES.keys() & KEYS.keys()


def test_no_name_is_both_a_secret_and_a_key() -> None:
    assert not SECRETS & (KEYS.keys() | ALIASES.keys() | FOREIGN)

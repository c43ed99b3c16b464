"""Secrets, which are strings that no representation shows."""

from __future__ import annotations

import pickle

from fleet.core.model.mirror import Auth
from fleet.core.model.secret import Secret


def test_a_secret_is_its_text_where_it_is_used() -> None:
    assert Secret("hunter2") == "hunter2"
    assert f"Basic {Secret('hunter2')}" == "Basic hunter2"


def test_no_representation_shows_a_secret() -> None:
    assert repr(Secret("hunter2")) == "Secret('***')"
    assert "hunter2" not in repr([Secret("hunter2")])


def test_the_representation_of_a_value_with_a_secret_hides_it() -> None:
    assert "hunter2" not in repr(Auth("robot", Secret("hunter2"), Secret("hunter2")))


def test_a_secret_stays_a_secret_in_another_process() -> None:
    copied = pickle.loads(pickle.dumps(Secret("hunter2")))

    assert (type(copied), copied) == (Secret, "hunter2")

"""The names of label groups: those that an API accepts, and nothing that could hide in them."""

from __future__ import annotations

import pytest

from fleet.core.selection.labels import LABEL_GROUP

VALID = (
    "label:pool",
    "label:pool=gpu",
    "label:node-role.kubernetes.io/control-plane=",
    "label:topology.kubernetes.io/zone=eu-1.a_B",
)
INVALID = (
    "pool=gpu",
    "label:",
    "label:=gpu",
    "label:pool=-gpu",
    "label:pool=a b",
    "label:pool=a\n",
    "label:a/b/c=d",
    "label:pool=g\u0440u",
    f"label:pool={'a' * 64}",
)


@pytest.mark.parametrize("name", VALID)
def test_a_label_of_an_api_is_a_group(name: str) -> None:
    assert LABEL_GROUP.fullmatch(name)


@pytest.mark.parametrize("name", INVALID, ids=ascii)
def test_another_text_is_not_a_group(name: str) -> None:
    assert LABEL_GROUP.fullmatch(name) is None

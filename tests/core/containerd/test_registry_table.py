"""The registry table of a dump, whichever plugin holds it."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.core.containerd.config import CRI_1, IMAGES
from fleet.core.containerd.registry_table import effective_registry

TABLE = {"config_path": "/a"}
DUMPS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "2.x": ({IMAGES: {"registry": TABLE}}, TABLE),
    "1.x": ({CRI_1: {"registry": TABLE}}, TABLE),
    "version 1": ({"cri": {"registry": TABLE}}, TABLE),
    "the newest name first": ({IMAGES: {"registry": TABLE}, CRI_1: {"registry": {}}}, TABLE),
    "another form": ({IMAGES: {"registry": 5}, CRI_1: {"registry": TABLE}}, TABLE),
    "another plugin": ({"other": {"registry": TABLE}}, {}),
}


@pytest.mark.parametrize(("plugins", "registry"), DUMPS.values(), ids=list(DUMPS))
def test_the_registry_of_a_dump(plugins: dict[str, Any], registry: dict[str, Any]) -> None:
    assert effective_registry({"plugins": plugins}) == registry

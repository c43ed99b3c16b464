"""Explanations of a registry, or of the registry of an image."""

from __future__ import annotations

import pytest

from fleet.actions.explain import explain, registry_of
from fleet.errors import FleetError
from tests.actions.conftest import Small
from tests.support.scripted_pool import Watcher

NAMES = {
    "docker.io": "docker.io",
    "harbor.example:5000": "harbor.example:5000",
    "_default": "_default",
    "docker.io/library/busybox:1.36": "docker.io",
    "harbor.example:5000/team/app": "harbor.example:5000",
    f"quay.io/a/b@sha256:{'0' * 64}": "quay.io",
}


@pytest.mark.parametrize(("text", "registry"), NAMES.items())
def test_an_image_stands_for_its_registry(text: str, registry: str) -> None:
    assert registry_of(text) == registry


@pytest.mark.parametrize("text", ["busybox:1.36", "docker.io/", "https://docker.io", "a b"])
def test_a_text_that_is_neither_is_refused_in_one_sentence(small: Small, text: str) -> None:
    inventory, session = small.load().inventory, small.session(Watcher())

    with pytest.raises(FleetError, match="is not a registry: expected HOST or HOST:PORT") as raised:
        explain(inventory, "a", text, session)
    assert str(raised.value).count("not a registry") == 1
    assert small.pool.done == []


def test_one_node_is_explained(small: Small) -> None:
    inventory, session = small.load().inventory, small.session(Watcher())

    with pytest.raises(FleetError, match="names 3 nodes; explain looks at one"):
        explain(inventory, "all", "docker.io", session)

"""The image that verifies a registry: its full name, and that it belongs to the registry."""

from __future__ import annotations

import pytest

from fleet.config.mirrors.verify_image import verify_image
from fleet.config.reader import Reader
from tests.support.values import parsed

TAKEN = {
    "a text": ("quay.io", "quay.io/a/b:1", "quay.io/a/b:1"),
    "a mapping": ("quay.io", "{image: quay.io/a}", "quay.io/a"),
    "another name of Docker Hub": ("docker.io", "index.docker.io/a/b:1", "docker.io/a/b:1"),
    "any registry of the wildcard": ("_default", "r.example:5000/a:1", "r.example:5000/a:1"),
}
REFUSED = {
    "no image": ("quay.io", "{}", "v: needs an image"),
    "a list": ("quay.io", "[]", "v: expected a string, got a list"),
    "no registry": ("quay.io", "busybox", "v: use the full name, e.g. quay.io/NAME:TAG,"),
    "no registry of Docker Hub": ("docker.io", "busybox", "v: use the full name, e.g. docker.io/"),
    "a command": ("quay.io", "quay.io/a;id", "v: use the full name"),
    "another registry": ("quay.io", "gcr.io/a:1", "v: gcr.io/a:1 does not belong to quay.io"),
}


@pytest.mark.parametrize(("name", "text", "image"), TAKEN.values(), ids=TAKEN)
def test_an_image_of_the_registry_is_taken(name: str, text: str, image: str) -> None:
    reader = Reader("m")

    assert (verify_image(reader, name, parsed(text), "v"), reader.problems) == (image, [])


@pytest.mark.parametrize(("name", "text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_image_of_the_registry_is_refused(name: str, text: str, message: str) -> None:
    reader = Reader("m")

    assert verify_image(reader, name, parsed(text), "v") is None
    assert reader.problems[0].message.startswith(message)

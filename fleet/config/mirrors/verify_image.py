"""The key `verify` of a registry: the image that every node pulls after a change."""

from __future__ import annotations

import re

from fleet.config.reader import Reader
from fleet.core.containerd.registry_url import folder_name
from fleet.core.text.yaml import Value

_REFERENCE = re.compile(
    r"[a-z0-9.\[\]:_-]+(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?"
    r"(?:@sha256:[0-9a-f]{64})?"
)


def verify_image(reader: Reader, name: str, value: Value, place: str) -> str | None:
    """Return the image of the registry `name`, given as a text or as a mapping with `image`."""
    if isinstance(value.data, dict):
        reader.known_keys(value.data, place, ("image",))
        if "image" not in value.data:
            reader.error(value, place, "needs an image")
            return None
        value = value.data["image"].value
    text = reader.string(value, place)
    if text is None:
        return None
    own, slash, rest = text.partition("/")
    text = f"docker.io{slash}{rest}" if folder_name(own) == "docker.io" else text
    if not _REFERENCE.fullmatch(text):
        example = "docker.io/library/busybox:1.36" if name == "docker.io" else f"{name}/NAME:TAG"
        reader.error(value, place, f"use the full name, e.g. {example}, not {text!r}")
        return None
    if name != "_default" and not text.startswith(f"{name}/"):
        reader.error(value, place, f"{text} does not belong to {name}")
        return None
    return text

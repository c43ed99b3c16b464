"""Manifests of images, as a registry returns them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fleet.node.mirrors.http import HttpResponse


def parse_json(response: HttpResponse) -> dict[str, Any]:
    """Return the object in a response's body; empty if there is none."""
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def platform_digests(entries: list[Any], architecture: str) -> Iterator[str]:
    """Yield the digests of manifests for a node's architecture under Linux."""
    for entry in entries:
        platform = entry.get("platform") if isinstance(entry, dict) else None
        properties = platform if isinstance(platform, dict) else {}
        if (
            properties.get("architecture") == architecture
            and properties.get("os", "linux") == "linux"
        ):
            yield str(entry.get("digest", ""))

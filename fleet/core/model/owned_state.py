"""fleet's own record on a node: the files that it wrote there, as state.json."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.core.model.paths import clean_path
from fleet.core.text.documents import DocumentError, parse_json, table, word, words
from fleet.core.text.toml_scan import dotted, split

STATE_FILE = "/var/lib/fleet/state.json"


_SETTINGS = {"mirrors", "configs"}


@dataclass(frozen=True, slots=True)
class OwnedState:
    """fleet's record on the node: the files it owns with their digests, and the last generation.

    `migrated` are hosts.toml files that a migration wrote for registries outside mirrors.yaml.
    fleet recognizes them and leaves them as they are.
    """

    generation: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    legacy: tuple[str, ...] = ()
    migrated: Mapping[str, str] = field(default_factory=dict)

    def render(self) -> bytes:
        """Write the record as state.json, with one key per line so that a shell can read it."""
        body = {
            "version": 1,
            "generation": self.generation,
            "files": dict(sorted(self.files.items())),
            "legacy": sorted(self.legacy),
            "migrated": dict(sorted(self.migrated.items())),
        }
        return (json.dumps(body, indent=2) + "\n").encode()


@functools.lru_cache(maxsize=32)
def parse_state(content: bytes | None) -> OwnedState:
    """Parse state.json; return an empty record if it cannot be parsed.

    Equal contents share one record, since a plan asks for it at every path.
    """
    try:
        body = parse_json(content or b"{}")
    except DocumentError:
        return OwnedState()
    owned, migrated = (_digests(body, key) for key in ("files", "migrated"))
    legacy = tuple(name for name in words(body, "legacy") if _is_setting(name))
    return OwnedState(word(body, "generation") or None, owned, legacy, migrated)


def _is_setting(name: str) -> bool:
    """Return whether fleet may have written a name; a shorter name would be a whole table."""
    try:
        path = split(name)
    except ValueError:
        return False
    return len(path) > 1 and path[0] in _SETTINGS and dotted(path) == name


def _digests(body: Any, key: str) -> dict[str, str]:
    entries = table(body, key).items()
    return {clean_path(path): digest for path, digest in entries if isinstance(digest, str)}

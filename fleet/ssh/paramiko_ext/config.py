"""The blocks of a parsed ssh_config."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from paramiko import SSHConfig

Block = Mapping[str, Any]
"""One block: `host` has its patterns, or `matches` its conditions; `config` its settings."""


def parse_blocks(lines: Iterable[str]) -> list[Block]:
    """Parse an ssh_config into its blocks; raise a ConfigParseError."""
    config: Any = SSHConfig()
    config.parse(lines)
    return list(config._config)


def lookup(blocks: Iterable[Block], host: str) -> Mapping[str, Any]:
    """Return the settings that blocks give a host; the first that sets an option wins."""
    config: Any = SSHConfig()
    config._config = list(blocks)
    settings: Mapping[str, Any] = config.lookup(host)
    return settings

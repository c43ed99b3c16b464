"""The restart cost of a change: files that containerd reads at every pull cost nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fleet.core.model.change import Change, RestartCost

_PER_PULL = re.compile(r".*/(hosts\.toml|[^/]+\.pem)")


def is_read_per_pull(path: str) -> bool:
    """Return whether containerd reads a file at every pull: hosts.toml and certificates."""
    return _PER_PULL.fullmatch(path) is not None


def restart_cost(changes: Iterable[Change], config: str) -> RestartCost:
    """Return the restart cost of `changes`; an unknown file costs a restart.

    hosts.toml and certificates are read at every pull, config.toml only at start. The files that
    legacy nodes keep beside config.toml change together with it.
    """
    folder = config.rpartition("/")[0] + "/fleet/"
    costs = [
        change.path.startswith(folder) or not is_read_per_pull(change.path) for change in changes
    ]
    return RestartCost.RESTART if any(costs) else RestartCost.NONE

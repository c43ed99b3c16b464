"""The cordon of a node by the API: set with fleet's mark, and undone only with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from fleet.core.kubernetes.cordon import (
    MANAGER,
    Cordon,
    CordonMark,
    CordonState,
    cordon_patch,
    cordon_state,
    uncordon_patch,
)
from fleet.core.kubernetes.drain import is_passing
from fleet.kubernetes.client import Cluster, api_path
from fleet.kubernetes.errors import ClusterError

_Result = TypeVar("_Result")

PAUSE = 2.0
"""Seconds between two tries."""


def read_cordon(cluster: Cluster, name: str) -> CordonState:
    """Return the cordon of a node."""
    return cordon_state(cluster.get(api_path("api", "v1", "nodes", name)))


def cordon(cluster: Cluster, name: str, mark: CordonMark, seconds: float) -> Cordon:
    """Cordon a node with fleet's mark; return whose cordon it has.

    A cordon of a person stays theirs. The mark of another rollout is replaced: only one rollout
    has the lock of a node, so the other one is dead.
    """

    def attempt() -> Cordon:
        state = read_cordon(cluster, name)
        if state.cordon is Cordon.PERSON:
            return Cordon.PERSON
        held = state.mark is not None and state.mark.rollout == mark.rollout
        if state.cordon is Cordon.NONE or not held:
            cluster.patch(_path_to_patch(name), cordon_patch(state, mark))
        return Cordon.FLEET

    return _with_patience(attempt, seconds)


def uncordon(cluster: Cluster, name: str, rollout: str, seconds: float) -> bool:
    """Undo a rollout's own cordon of a node; return whether the node is schedulable again by it."""

    def attempt() -> bool:
        state = read_cordon(cluster, name)
        if state.mark is None or state.mark.rollout != rollout:
            return False
        patch = uncordon_patch(state)
        if patch is not None:
            cluster.patch(_path_to_patch(name), patch)
        return state.cordon is Cordon.FLEET

    try:
        return _with_patience(attempt, seconds)
    except ClusterError as error:
        if error.status == 404:  # the Node object is gone, and its mark with it
            return False
        raise


def _path_to_patch(name: str) -> str:
    return f"{api_path('api', 'v1', 'nodes', name)}?fieldManager={MANAGER}"


def _with_patience(attempt: Callable[[], _Result], seconds: float) -> _Result:
    """Return the result of an attempt; repeat it while the node changes or the API is away."""
    until = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except ClusterError as error:
            conflict = error.status == 409
            if not (conflict or is_passing(error.status)) or time.monotonic() > until:
                raise
            time.sleep(0.1 if conflict else PAUSE)

"""The plan of a node: the folder it relies on, and the record after it."""

from __future__ import annotations

import pytest

from fleet.core.model.change import ManagedFile
from fleet.core.model.node import Node
from fleet.core.model.owned_state import OwnedState, parse_state
from fleet.core.plan.node_plan import (
    NodePlan,
    PlannedConfig,
    PlannedFiles,
    PlannedRestart,
    RollbackTarget,
    state_after,
)

NODE = Node(name="n", host="n")


@pytest.mark.parametrize(
    ("directory", "itself", "folder"),
    [("/c", False, "/c"), (None, False, ""), ("/c", True, "/c")],
    ids=["a folder", "no folder", "a distribution that restarts its containerd"],
)
def test_the_folder_that_the_daemon_must_read(
    directory: str | None, itself: bool, folder: str
) -> None:
    plan = NodePlan(
        node=NODE,
        config=PlannedConfig(hosts_directory=directory),
        restart=PlannedRestart(by_distribution=itself),
    )

    assert plan.liveness_folder == folder


def test_the_record_after_a_plan_has_its_generation() -> None:
    plan = NodePlan(node=NODE, files=PlannedFiles(state=OwnedState("before", {"/a": "x"})))

    file = state_after(plan, "after")

    assert file is not None
    assert file.mode == 0o600
    assert parse_state(file.content) == OwnedState("after", {"/a": "x"})


@pytest.mark.parametrize("saved", [None, ManagedFile(b"saved")])
def test_a_rollback_restores_the_record_as_it_was(saved: ManagedFile | None) -> None:
    plan = NodePlan(node=NODE, rollback=RollbackTarget(generation="g", state=saved))

    assert state_after(plan, "after") is saved

"""The work on a node: in each status, and after its worker has died there."""

from __future__ import annotations

import pytest

from fleet.core.model.outcome import NodeStatus
from fleet.engine.node_work import NodeWork
from fleet.engine.tasks_in_flight import Work
from fleet.node.converge import converge
from fleet.node.recheck import recheck, settle_left
from fleet.node.revert import revert
from fleet.node.stage import release, stage

WORK: dict[NodeStatus, tuple[Work | None, Work]] = {
    NodeStatus.STAGING: (stage, settle_left),
    NodeStatus.STAGED: (None, release),
    NodeStatus.RUNNING: (converge, settle_left),
    NodeStatus.CHECKING: (recheck, recheck),
    NodeStatus.REVERTING: (revert, revert),
}


@pytest.mark.parametrize("status", WORK)
def test_each_status_has_its_work_and_its_repair(status: NodeStatus) -> None:
    work, after_death = WORK[status]

    assert NodeWork().after_death(status) is after_death
    if work is not None:
        assert NodeWork().at(status) is work

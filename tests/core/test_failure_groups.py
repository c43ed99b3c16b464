"""Groups of failures: what differs from node to node alone does not part them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.failure_groups import group_failures

LOST = Failure(
    FailureKind.CONNECT, Step.CONNECT, "connection timed out (2 s)", "look", "x", "a@n:1"
)


def test_a_failure_of_192_nodes_is_one_group() -> None:
    failures = [
        (f"edge{number:03}", replace(LOST, address=f"a@n:{number}", evidence=str(number)))
        for number in range(1, 193)
    ]

    (group,) = group_failures(failures)

    assert group.names == "edge[001-192] (192)"
    assert (group.address, group.failure) == ("", failures[0][1])


def test_an_address_that_all_share_is_kept() -> None:
    (group,) = group_failures([("w1", LOST), ("w2", LOST)])

    assert (group.names, group.address) == ("w[1-2] (2)", "a@n:1")


OTHERS = (
    replace(LOST, kind=FailureKind.AUTH),
    replace(LOST, step=Step.RUN),
    replace(LOST, message="connection timed out (3 s)"),
    replace(LOST, remedy="wait"),
)


@pytest.mark.parametrize("other", OTHERS, ids=["kind", "step", "message", "remedy"])
def test_another_failure_is_another_group(other: Failure) -> None:
    groups = group_failures([("w1", LOST), ("w2", other), ("w3", LOST)])

    assert [group.names for group in groups] == ["w[1,3] (2)", "w2"]

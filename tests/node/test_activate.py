"""The reply of a script that changes a node: its ending, and all that came with it."""

from __future__ import annotations

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.outcome import Liveness, LivenessState
from fleet.node.activate import Applied, Ending, parse_applied
from fleet.node.script import Reply
from tests.support.orders import order_of


def reply(*steps: str, **values: str) -> Reply:
    records = [("step", (f"={step}",)) for step in steps]
    return Reply([*records, *((key, (f"={value}",)) for key, value in values.items())])


@pytest.mark.parametrize("ending", Ending)
def test_an_ending_is_read_by_its_word(ending: Ending) -> None:
    assert parse_applied(reply(status=str(ending)), order_of()) == Applied(
        ending, failure=None, restarted=False
    )


@pytest.mark.parametrize("status", ["", "melted", "Swapped", "\x1b[2J"])
def test_an_unknown_ending_breaks_the_protocol(status: str) -> None:
    with pytest.raises(NodeError) as raised:
        parse_applied(reply(status=status), order_of())

    assert raised.value.failure.kind is FailureKind.PROTOCOL
    assert "\x1b" not in raised.value.failure.message


RESTARTS = {
    "a restart that was due": (True, ("swap 1.0", "restart 2.0"), True),
    "none came": (True, ("swap 1.0",), False),
    "none was due": (False, ("restart 2.0",), False),
    "another word": (True, ("restarted 2.0",), False),
}


@pytest.mark.parametrize(("due", "steps", "restarted"), RESTARTS.values(), ids=RESTARTS)
def test_a_restart_is_one_that_was_due_and_came(
    due: bool, steps: tuple[str, ...], restarted: bool
) -> None:
    applied = parse_applied(reply(*steps, status="swapped"), order_of(tries_left=due))

    assert applied.restarted is restarted


def test_all_that_a_script_reports_is_kept() -> None:
    applied = parse_applied(
        reply(
            status="rolled_back",
            failure="restart",
            failed_step="restart",
            message="containerd did not start",
            liveness="live 1.0 1.5",
            ill="no CRI",
            held="yes",
        ),
        order_of(),
    )

    assert applied.failure is not None
    assert applied.failure.kind is FailureKind.RESTART
    assert applied.liveness == Liveness(LivenessState.LIVE, 0.5, "")
    assert (applied.unhealthy, applied.held) == ("no CRI", True)

"""The record of whether the daemon reads its hosts directory."""

from __future__ import annotations

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.outcome import Liveness, LivenessState
from fleet.node.script import Reply
from fleet.node.verify.liveness import parse_liveness


def reply(**values: str) -> Reply:
    return Reply([(key, (f"={value}",)) for key, value in values.items()])


def test_a_script_that_did_not_check_reports_none() -> None:
    assert parse_liveness(reply(status="swapped")) is None


@pytest.mark.parametrize("state", LivenessState)
def test_a_state_has_the_time_that_it_took(state: LivenessState) -> None:
    found = parse_liveness(reply(liveness=f"{state} 12.25 12.5"))

    assert found == Liveness(state, 0.25, "")


def test_only_the_end_of_a_pulls_error_is_kept() -> None:
    said = 'pulling "x" failed: failed to do request: Head "https://m/v2": dial tcp: refused\n'

    found = parse_liveness(reply(liveness="live 1 2", liveness_said=said))

    assert found is not None
    assert found.output == 'Head "https://m/v2": dial tcp: refused'


@pytest.mark.parametrize("text", ["", "live", "live 1", "live 1 x", "melted 1 2", "live one two"])
def test_anything_else_breaks_the_protocol(text: str) -> None:
    with pytest.raises(NodeError) as raised:
        parse_liveness(reply(liveness=text))

    assert raised.value.failure.kind is FailureKind.PROTOCOL

"""Failures of the work on a node."""

from __future__ import annotations

import pytest

from fleet.core.failure import FailureKind, NodeError


def test_a_node_error_carries_its_failure() -> None:
    error = NodeError(FailureKind.SUDO, "stage", "no sudo", evidence="a password is required")

    assert (error.failure.kind, error.failure.step) == (FailureKind.SUDO, "stage")
    assert (error.failure.message, error.failure.evidence) == ("no sudo", "a password is required")


def test_the_text_of_an_error_is_its_message() -> None:
    assert str(NodeError(FailureKind.SUDO, "stage", "no sudo")) == "no sudo"


def test_a_very_long_word_in_a_message_is_shortened() -> None:
    error = NodeError(FailureKind.SUDO, "stage", f"key {'x' * 5000} is odd")

    assert len(error.failure.message) < 300
    assert error.failure.message.endswith("x is odd")


@pytest.mark.parametrize("kind", FailureKind)
def test_a_node_is_unreachable_without_a_working_connection(kind: FailureKind) -> None:
    never_connected = {FailureKind.CONNECT, FailureKind.HOST_KEY, FailureKind.AUTH}

    assert kind.unreachable is (kind in never_connected)

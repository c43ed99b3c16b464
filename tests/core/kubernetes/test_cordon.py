"""The cordon of a node: what is fleet's own, what a person did, and the patches that undo it."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.core.kubernetes.cordon import (
    ANNOTATION,
    MANAGER,
    Cordon,
    CordonMark,
    cordon_patch,
    cordon_state,
    uncordon_patch,
)

MARK = CordonMark("20260102-030405-beef", "2026-01-02T03:04:05Z", "ops@desk")


def raw_node(*, cordoned: bool, mark: str | None = None, setters: Any = None) -> dict[str, Any]:
    about: dict[str, Any] = {"name": "w1", "resourceVersion": "7"}
    if mark is not None:
        about["annotations"] = {ANNOTATION: mark}
    if setters is not None:
        fields = {"f:spec": {"f:unschedulable": {}}}
        about["managedFields"] = [{"manager": name, "fieldsV1": fields} for name in setters]
    return {"metadata": about, "spec": {"unschedulable": True} if cordoned else {}}


def test_a_schedulable_node_is_marked_and_cordoned_in_one_request() -> None:
    state = cordon_state(raw_node(cordoned=False))

    assert (state.cordon, state.mark) == (Cordon.NONE, None)
    assert cordon_patch(state, MARK) == {
        "metadata": {"resourceVersion": "7", "annotations": {ANNOTATION: MARK.text}},
        "spec": {"unschedulable": True},
    }


def test_a_mark_is_read_as_it_was_written() -> None:
    assert cordon_state(raw_node(cordoned=True, mark=MARK.text)).mark == MARK


@pytest.mark.parametrize("setters", [None, [], [MANAGER], [MANAGER, MANAGER]])
def test_a_marked_cordon_that_fleet_set_is_undone_with_its_mark(setters: Any) -> None:
    state = cordon_state(raw_node(cordoned=True, mark=MARK.text, setters=setters))

    assert state.cordon is Cordon.FLEET
    assert uncordon_patch(state) == {
        "metadata": {"resourceVersion": "7", "annotations": {ANNOTATION: None}},
        "spec": {"unschedulable": None},
    }


@pytest.mark.parametrize("setters", [["kubectl-cordon"], ["kubectl", MANAGER]])
def test_a_cordon_that_a_person_set_since_stays(setters: list[str]) -> None:
    state = cordon_state(raw_node(cordoned=True, mark=MARK.text, setters=setters))

    assert state.cordon is Cordon.PERSON
    assert uncordon_patch(state) == {
        "metadata": {"resourceVersion": "7", "annotations": {ANNOTATION: None}}
    }


def test_a_cordon_without_a_mark_is_not_touched() -> None:
    state = cordon_state(raw_node(cordoned=True, setters=[MANAGER]))

    assert state.cordon is Cordon.PERSON
    assert uncordon_patch(state) is None


def test_a_node_that_a_person_has_uncordoned_loses_the_mark_alone() -> None:
    state = cordon_state(raw_node(cordoned=False, mark=MARK.text))

    assert state.cordon is Cordon.NONE
    assert uncordon_patch(state) == {
        "metadata": {"resourceVersion": "7", "annotations": {ANNOTATION: None}}
    }


@pytest.mark.parametrize("text", ["", "x", "[]", "null", "3", '{"rollout": 4}', "[" * 100_000])
def test_a_mark_that_cannot_be_parsed_belongs_to_no_rollout(text: str) -> None:
    state = cordon_state(raw_node(cordoned=True, mark=text))

    assert state.mark == CordonMark("", "", "")


@pytest.mark.parametrize("raw", [{}, {"metadata": [], "spec": 3}, {"spec": {"unschedulable": 1}}])
def test_a_node_of_odd_shape_counts_as_not_cordoned(raw: dict[str, Any]) -> None:
    assert cordon_state(raw).cordon is Cordon.NONE


def test_a_record_of_odd_shape_does_not_decide() -> None:
    raw = raw_node(cordoned=True, mark=MARK.text)
    raw["metadata"]["managedFields"] = ["x", None, {"fieldsV1": 3}]

    assert cordon_state(raw).cordon is Cordon.FLEET

"""Which saved generations an undo or a rollback reverts on a node, and when it reverts none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.generation import MISSING, TOO_MANY, Generation, ManifestEntry
from fleet.core.model.owned_state import STATE_FILE
from fleet.core.plan.undo_request import UndoRequest, select_generations
from tests.support.build import facts_with

S0, S1, S2 = (ManagedFile(text, 0o600) for text in (b"s0", b"s1", b"s2"))


def change(
    name: str, before: ManagedFile | None, after: ManagedFile | None, *, beside: bool = False
) -> Generation:
    """Return the generation of a change that replaced one record of fleet by another."""
    digest = after.digest if after else "-"
    return Generation(name, (ManifestEntry(STATE_FILE, before),), beside, state_after=digest)


def node(state: ManagedFile | None, *generations: Generation) -> NodeFacts:
    """Return a node with this record of fleet and these generations, the newest first."""
    files = {STATE_FILE: state} if state else {}
    return replace(facts_with({}), generations=generations, files=files)


G1, G2, G3 = change("g1", None, S0), change("g2", S0, S1), change("g3", S1, S2)
G2_UNDONE = replace(G2, beside=True)
R4 = change("r4", S2, S1, beside=True)
G5 = change("g5", S1, S2)

SELECTED = {
    "a node's own last change": (node(S1, G2), UndoRequest(), ["g2"]),
    "everything since": (node(S2, G3, G2, G1), UndoRequest(to="g1"), ["g3", "g2", "g1"]),
    "the state before a rollback": (node(S1, G2, G1, R4), UndoRequest(to="r4"), ["r4"]),
    "the state before a rollback, after a later rollout": (
        node(S2, replace(G5, id="s5"), G2, G1, R4),
        UndoRequest(to="r4"),
        ["s5", "r4"],
    ),
    "an edit by others that is older than a damaged generation": (
        node(S2, replace(G3, damage="manifest"), change("g2-displaced", None, None, beside=True)),
        UndoRequest(to="g2-displaced"),
        ["g2-displaced"],
    ),
    "an older one that a lost link leaves beside the chain": (
        node(S2, G3, replace(G2, previous="g1"), replace(G1, beside=True)),
        UndoRequest(to="g1"),
        ["g3", "g2", "g1"],
    ),
    "the newest rollout alone": (node(S2, G3), UndoRequest(only="g3"), ["g3"]),
    "the newest rollback alone": (node(S1, G2, G1, R4), UndoRequest(only="r4"), ["r4"]),
    "an older one with all later ones": (
        node(S2, G3, G2),
        UndoRequest(only="g2", with_later=True),
        ["g3", "g2"],
    ),
    "a rollback with all later ones": (
        node(S2, replace(G5, id="s5"), G2, G1, R4),
        UndoRequest(only="r4", with_later=True),
        ["s5", "r4"],
    ),
}


@pytest.mark.parametrize(("facts", "request_", "names"), SELECTED.values(), ids=SELECTED)
def test_generations_are_selected(
    facts: NodeFacts, request_: UndoRequest, names: list[str]
) -> None:
    selected = select_generations(facts, request_)

    assert [generation.id for generation in selected.generations] == names
    assert (selected.nothing, selected.failure) == ("", None)


NOTHING = {
    "a node that fleet has not changed": (node(None), UndoRequest(), "changed nothing here"),
    "a generation of another node": (
        node(S1, G2, G1),
        UndoRequest(to="g9"),
        "no generation g9 is saved here",
    ),
    "a rollout of another node": (node(S0, G1), UndoRequest(only="g2"), "saved nothing"),
    "a rollout that is undone already": (
        node(S0, G1, G2_UNDONE),
        UndoRequest(only="g2"),
        "what rollout g2 changed is no longer in force here",
    ),
    "an undo that is undone already": (
        node(S2, G3, G2, G1, R4),
        UndoRequest(only="r4"),
        "no longer in force here",
    ),
}


@pytest.mark.parametrize(("facts", "request_", "reason"), NOTHING.values(), ids=NOTHING)
def test_there_may_be_nothing_to_undo(facts: NodeFacts, request_: UndoRequest, reason: str) -> None:
    selected = select_generations(facts, request_)

    assert (selected.generations, selected.failure) == ((), None)
    assert reason in selected.nothing


def test_later_changes_are_not_undone_unasked() -> None:
    selected = select_generations(node(S2, G3, G2), UndoRequest(only="g2"))

    assert selected.failure is not None
    assert selected.failure.message == "g3 changed this node after rollout g2"
    assert selected.failure.remedy == "undo it first, or undo all with --with-later"


GONE = Generation("g2", (), damage=MISSING)


@pytest.mark.parametrize(
    "request_",
    [UndoRequest(to="g2"), UndoRequest(to="g1"), UndoRequest(only="g2", with_later=True)],
)
def test_a_generation_whose_files_are_gone_is_a_failure(request_: UndoRequest) -> None:
    selected = select_generations(node(S2, G3, GONE), request_)

    assert selected.failure is not None
    assert selected.failure.kind == "no_generation"
    assert "generation g2 is damaged: all of it is missing" in selected.failure.message


@pytest.mark.parametrize(
    "request_", [UndoRequest(to="g1"), UndoRequest(to="g2"), UndoRequest(only="g1")]
)
def test_a_generation_that_was_pruned_is_not_one_that_never_was(request_: UndoRequest) -> None:
    facts = node(S2, G3, replace(G2, id="g2.pruned"), replace(G1, id="g0"))

    selected = select_generations(facts, request_)

    assert selected.failure is not None
    assert selected.failure.message.endswith("is not saved on this node any more")
    assert select_generations(facts, UndoRequest(to="g9")).failure is None
    back = select_generations(facts, UndoRequest(to="g0"))
    assert [one.id for one in back.generations] == ["g3", "g2.pruned", "g0"]


LOST = {
    "lost": (replace(G2, entries=(), damage=MISSING), "all of it"),
    "damaged": (replace(G2, entries=(), damage="manifest"), "manifest"),
    "altered": (replace(G2, entries=(), previous="g1"), "its record of the one before"),
}


@pytest.mark.parametrize("request_", [UndoRequest(to="g1"), UndoRequest(only="g1")])
@pytest.mark.parametrize(("middle", "what"), LOST.values(), ids=LOST)
def test_what_is_behind_a_break_of_the_chain_is_not_restored_alone(
    middle: Generation, what: str, request_: UndoRequest
) -> None:
    """The changes of the generations between would stay."""
    facts = node(S2, G3, middle, replace(G1, beside=True))

    selected = select_generations(facts, replace(request_, with_later=True))

    assert selected.failure is not None
    assert f"generation g2 is damaged: {what} is missing" in selected.failure.message


def test_a_damaged_generation_beside_the_chain_is_a_failure() -> None:
    damaged = Generation("r4", (), beside=True, damage="seal")

    selected = select_generations(node(S1, G2, G1, damaged), UndoRequest(only="r4"))

    assert selected.failure is not None
    assert "generation r4" in selected.failure.message


def test_a_copy_that_was_not_read_is_never_taken_for_a_missing_file() -> None:
    unread = Generation("g2", (ManifestEntry("/etc/a", None, saved="files/0", unread=True),))
    saved = Generation("g1", (ManifestEntry("/etc/a", ManagedFile(b"x")),))

    alone = select_generations(node(None, unread, saved), UndoRequest(to="g2"))
    both = select_generations(node(None, unread, saved), UndoRequest(to="g1"))

    assert alone.failure is not None
    assert "generation g2 is damaged: files/0 is missing" in alone.failure.message
    assert (both.failure, both.generations) == (None, (unread, saved))


def test_too_many_saved_files_are_no_damage() -> None:
    crowded = Generation("g1", (), damage=TOO_MANY)

    selected = select_generations(node(None, crowded), UndoRequest(to="g1"))

    assert selected.failure is not None
    assert selected.failure.message == "this node has too many saved files to read generation g1"

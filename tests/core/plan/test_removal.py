"""Plans that take fleet off a node: what they restore, what they refuse, and what is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.generation import Generation, ManifestEntry, SavedEdit, SavedKind
from fleet.core.model.node import Node
from fleet.core.model.owned_state import STATE_FILE, OwnedState
from fleet.core.plan.removal import RemovalRequest, plan_removal
from tests.support.build import facts_with

NODE = Node(name="a", host="a")
PATH = "/etc/containerd/certs.d/docker.io/hosts.toml"
OLD, OURS, EDITED = (ManagedFile(text) for text in (b"old\n", b"ours\n", b"edited\n"))
RECORD = ManagedFile(OwnedState("g2", {PATH: OURS.digest}).render(), 0o600)
FIRST = Generation("g1", (ManifestEntry(PATH, OLD), ManifestEntry(STATE_FILE, None)))
SECOND = Generation("g2", (ManifestEntry(PATH, OURS), ManifestEntry(STATE_FILE, RECORD)))
OWN = ("/var/lib/fleet", "/run/fleet")
REMOVES = "removes /var/lib/fleet, /run/fleet"


def node(
    *generations: Generation, now: ManagedFile = OURS, record: ManagedFile | None = RECORD
) -> NodeFacts:
    """Return a node with these generations, the newest first, and a file at PATH."""
    files = {PATH: now, **({STATE_FILE: record} if record else {})}
    return replace(facts_with({}), generations=generations, files=files, own_files=OWN)


def test_the_state_before_the_first_change_is_restored() -> None:
    plan = plan_removal(NODE, node(SECOND, FIRST), RemovalRequest())

    assert plan.failure is None
    assert plan.changes == (Change(PATH, OURS, OLD),)
    assert (plan.removes, plan.files.state_before) == (OWN, RECORD)
    assert plan.rollback is not None
    assert (plan.rollback.state, plan.rollback.undoes) == (None, ("g2", "g1"))
    assert plan.notes == (REMOVES, "restores the config from before fleet")


def test_the_config_may_stay() -> None:
    plan = plan_removal(NODE, node(SECOND, FIRST, now=EDITED), RemovalRequest(keep_config=True))

    assert (plan.failure, plan.changes, plan.removes) == (None, (), OWN)
    assert plan.notes == (REMOVES, "the registry config stays as it is")


def test_a_node_without_fleet_has_nothing_to_remove() -> None:
    plan = plan_removal(NODE, replace(node(), own_files=()), RemovalRequest())

    assert (plan.failure, plan.has_work) == (None, False)
    assert plan.notes == ("nothing to remove: fleet has left nothing here",)


def test_an_edit_is_lost_only_on_request() -> None:
    facts = node(SECOND, FIRST, now=EDITED)

    refused = plan_removal(NODE, facts, RemovalRequest())
    given_up = plan_removal(NODE, facts, RemovalRequest(overwrite=True))

    assert refused.failure is not None
    assert refused.failure.kind == "conflict"
    assert refused.failure.message == f"{PATH} was edited after fleet wrote the config"
    assert given_up.failure is None
    assert f"the edit of {PATH} is lost" in given_up.notes


COPY = "/var/lib/fleet/generations/g2-displaced/files/0"
EDIT = SavedEdit(PATH, COPY, EDITED.digest)
ODD = "/var/lib/fleet/generations/g1/files/1"
MOVED = ManifestEntry("/etc/odd", None, copied=SavedKind.ODD, saved=ODD)


@pytest.mark.parametrize("keep_config", [False, True])
def test_the_only_copy_of_an_edit_is_deleted_only_on_request(*, keep_config: bool) -> None:
    first = replace(FIRST, entries=(*FIRST.entries, MOVED))
    facts = replace(node(SECOND, first), saved_edits=(EDIT,))

    refused = plan_removal(NODE, facts, RemovalRequest(keep_config=keep_config))
    given_up = plan_removal(NODE, facts, RemovalRequest(keep_config=keep_config, overwrite=True))

    assert refused.failure is not None
    assert refused.failure.kind == "conflict"
    assert refused.failure.message == (
        f"{COPY} is the only copy of an edit of {PATH} (and 1 more such file), and would be deleted"
    )
    assert given_up.failure is None
    assert given_up.notes[-2:] == (
        f"{COPY}, the only copy of an edit of {PATH}, is lost",
        f"{ODD}, the only copy of the original of /etc/odd, is lost",
    )


def test_a_saved_edit_that_is_in_force_has_another_copy() -> None:
    facts = replace(node(SECOND, FIRST, now=EDITED), saved_edits=(EDIT,))

    plan = plan_removal(NODE, facts, RemovalRequest(keep_config=True))

    assert (plan.failure, plan.notes) == (
        None,
        (REMOVES, "the registry config stays as it is"),
    )


BESIDE = replace(FIRST, beside=True, state_after="-")
ORIGINALS = {
    "all is rolled back": (node(BESIDE, record=None), ""),
    "nothing was changed": (node(record=None), ""),
    "the record is gone": (
        node(replace(BESIDE, state_after=RECORD.digest), record=None),
        "so the original is unknown",
    ),
    "the record names no generation": (node(), "so the original is unknown"),
    "a generation is damaged": (
        node(SECOND, replace(FIRST, damage="files/0")),
        "generation g1 is damaged",
    ),
    "an older generation was not read": (
        node(SECOND, replace(FIRST, previous="g0")),
        "generation g1 follows g0, which cannot be read",
    ),
}


@pytest.mark.parametrize(("facts", "refusal"), ORIGINALS.values(), ids=ORIGINALS)
def test_the_original_must_be_known(facts: NodeFacts, refusal: str) -> None:
    plan = plan_removal(NODE, facts, RemovalRequest())

    if not refusal:
        assert (plan.failure, plan.changes, plan.removes) == (None, (), OWN)
        assert "the original config is in place" in plan.notes
        return
    assert plan.failure is not None
    assert refusal in plan.failure.message
    assert "--keep-config" in plan.failure.remedy

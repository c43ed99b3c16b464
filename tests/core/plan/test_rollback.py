"""Plans of rollbacks: what they restore, from which copies, and the notes of their plans."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.failure import FailureKind
from fleet.core.model.change import Action, Change, ManagedFile, RestartCost
from fleet.core.model.facts import CriFacts, NodeFacts, PathFacts, RancherFacts
from fleet.core.model.generation import Generation, ManifestEntry, SavedKind
from fleet.core.model.node import Node
from fleet.core.model.owned_state import STATE_FILE, OwnedState
from fleet.core.model.paths import Kind, PathEntry
from fleet.core.plan.rollback import plan_rollback
from fleet.core.plan.undo_request import UndoRequest
from tests.support.build import facts_with

NODE = Node(name="a", host="a")
CERTS = "/etc/containerd/certs.d"
PATH = f"{CERTS}/docker.io/hosts.toml"
SAVED = "/var/lib/fleet/generations/g1"
OURS = ManagedFile(b"# ours\n")
LINK = ManagedFile(b"server = 'x'\n", 0o640, link="../../mirrors/docker.io.toml")
SAVED_LINK = ManagedFile(b"", 0o777, link=LINK.link)


def facts(kept: list[ManifestEntry], now: ManagedFile | None, ill: str = "") -> NodeFacts:
    """Return a node with one generation and one file."""
    lines = (*kept, ManifestEntry(STATE_FILE, None))
    link = PathEntry(kind=Kind.LINK, device=1, inode=2, leads=(1, 3))
    return NodeFacts(
        generations=(Generation("g1", lines, was_unhealthy=ill),),
        files={PATH: now} if now else {},
        paths=PathFacts(
            links=frozenset({PATH}) if now and now.link else frozenset(),
            entries={PATH: link} if now and now.link else {},
        ),
        cri=CriFacts(state="ok"),
    )


@pytest.mark.parametrize(
    ("kept", "now", "action"),
    [
        (SAVED_LINK, OURS, Action.UPDATE),
        (SAVED_LINK, None, Action.CREATE),
        (SAVED_LINK, LINK, None),
        (OURS, LINK, Action.UPDATE),
        (None, LINK, Action.DELETE),
        (OURS, OURS, None),
    ],
)
def test_a_link_is_restored_if_another_one_or_a_file_is_there(
    kept: ManagedFile | None, now: ManagedFile | None, action: Action | None
) -> None:
    plan = plan_rollback(NODE, facts([ManifestEntry(PATH, kept, saved=f"{SAVED}/links/0")], now))

    assert [change.action for change in plan.changes] == ([action] if action else [])
    if action and kept and kept.link:
        assert (f"{SAVED}/links/0", PATH) in plan.rollback.saved_copies


def test_folders_above_new_files_are_restored_from_the_outermost_one_on() -> None:
    folders = [CERTS, f"{CERTS}/docker.io"]
    kept = [
        ManifestEntry(path, None, copied=SavedKind.FOLDER, saved=f"{SAVED}/folders{path}")
        for path in folders
    ]

    plan = plan_rollback(
        NODE, facts([*kept, ManifestEntry(PATH, OURS, saved=f"{SAVED}/files/0")], None)
    )

    assert plan.rollback.saved_copies == (
        (f"{SAVED}/files/0", PATH),
        *((f"{SAVED}/folders{path}", path) for path in folders),
    )


def test_a_folder_that_fleet_removed_and_made_again_gets_its_attributes_back() -> None:
    folder = PATH.rpartition("/")[0]
    saved = ManifestEntry(folder, None, copied=SavedKind.FOLDER, saved=f"{SAVED}/folders{folder}")
    newer = generation("g2", ManifestEntry(PATH, None), ManifestEntry(folder, None, directory=True))
    older = generation("g1", ManifestEntry(PATH, OLD, saved=f"{SAVED}/files/0"), saved)

    plan = plan_rollback(NODE, node(newer, older, files={PATH: OURS}), SINCE)

    assert plan.changes == (Change(PATH, OURS, OLD),)
    assert plan.rollback is not None
    assert plan.rollback.saved_copies == ((f"{SAVED}/folders{folder}", folder),)


@pytest.mark.parametrize("ill", ["", "its CRI plugin reports error"])
def test_a_state_that_was_not_healthy_is_named_in_the_plan(ill: str) -> None:
    plan = plan_rollback(NODE, facts([ManifestEntry(PATH, OURS)], None, ill))

    assert plan.failure is None
    assert plan.rollback.unhealthy == ill
    assert any(ill in note for note in plan.notes) if ill else plan.notes == ("undoes g1",)


CONFIG = "/etc/containerd/config.toml"
OLD, NEW = ManagedFile(b"old\n"), ManagedFile(b"new\n")
SINCE = UndoRequest(to="g1")


def generation(name: str, *entries: ManifestEntry, damage: str = "") -> Generation:
    return Generation(name, (*entries, ManifestEntry(STATE_FILE, None)), damage=damage)


def node(*generations: Generation, files: dict[str, ManagedFile] | None = None) -> NodeFacts:
    """Return a node with these generations, the newest first, and these files."""
    return replace(facts_with({}), generations=generations, files=files or {})


def test_a_node_without_a_generation_has_nothing_to_go_back_to() -> None:
    plan = plan_rollback(NODE, node())

    assert (plan.failure, plan.changes) == (None, ())
    assert plan.notes == ("nothing to undo: fleet has changed nothing here",)


def test_a_generation_that_is_not_on_the_node_is_named() -> None:
    plan = plan_rollback(NODE, node(generation("g2")), UndoRequest(to="g1"))

    assert (plan.failure, plan.changes) == (None, ())
    assert plan.notes == ("nothing to undo: no generation g1 is saved here",)


def test_the_rollouts_that_are_undone_are_named_with_their_times_and_messages() -> None:
    name = "20261127-224100-ab12"
    request = UndoRequest(messages={name: "OPS-7: drop the slow mirror"})

    plan = plan_rollback(NODE, node(generation(name, ManifestEntry(PATH, OLD))), request)

    assert plan.notes == (f"undoes {name} of 2026-11-27 22:41 UTC: OPS-7: drop the slow mirror",)
    assert plan.rollback is not None
    assert plan.rollback.undoes == (name,)


def test_a_damaged_generation_is_not_used() -> None:
    plan = plan_rollback(NODE, node(generation("g2"), generation("g1", damage="files/0")), SINCE)

    assert plan.failure is not None
    assert plan.failure.kind is FailureKind.NO_GENERATION
    assert "generation g1 is damaged: files/0" in plan.failure.message


def test_what_was_there_before_is_restored() -> None:
    plan = plan_rollback(NODE, node(generation("g1", ManifestEntry(PATH, OLD)), files={PATH: NEW}))

    assert plan.failure is None
    assert plan.changes == (Change(PATH, NEW, OLD),)
    assert plan.containerd == "1.7.24"
    assert (plan.strategy, plan.rollback and plan.rollback.generation) == ("rollback", "g1")


def test_what_was_not_there_before_is_removed() -> None:
    plan = plan_rollback(NODE, node(generation("g1", ManifestEntry(PATH, None)), files={PATH: NEW}))

    assert plan.changes == (Change(PATH, NEW, None),)


def test_another_mode_is_a_change() -> None:
    private = replace(OLD, mode=0o600)

    plan = plan_rollback(
        NODE, node(generation("g1", ManifestEntry(PATH, private)), files={PATH: OLD})
    )

    assert plan.changes == (Change(PATH, OLD, private),)


def test_of_several_generations_the_oldest_state_is_restored() -> None:
    newer = generation("g2", ManifestEntry(PATH, NEW))
    older = generation("g1", ManifestEntry(PATH, OLD))

    plan = plan_rollback(NODE, node(newer, older, files={PATH: OURS}), SINCE)

    assert plan.changes == (Change(PATH, OURS, OLD),)
    assert plan.rollback is not None
    assert plan.rollback.generation == "g1"


def test_the_record_of_fleet_is_restored_apart_from_the_changes() -> None:
    record = ManagedFile(b"{}", 0o600)
    saved = Generation("g1", (ManifestEntry(STATE_FILE, record),))

    plan = plan_rollback(NODE, node(saved, files={STATE_FILE: NEW}))

    assert plan.changes == ()
    assert plan.rollback is not None
    assert plan.rollback.state == record
    assert plan.files.state_before == NEW


def test_a_record_that_was_not_saved_stays() -> None:
    plan = plan_rollback(NODE, node(Generation("g1", ()), files={STATE_FILE: NEW}))

    assert plan.rollback is not None
    assert plan.rollback.state == NEW


@pytest.mark.parametrize(
    ("path", "cost"), [(PATH, RestartCost.NONE), (CONFIG, RestartCost.RESTART)]
)
def test_a_config_costs_a_restart_on_the_way_back_too(path: str, cost: RestartCost) -> None:
    plan = plan_rollback(NODE, node(generation("g1", ManifestEntry(path, OLD)), files={path: NEW}))

    assert plan.restart.cost is cost


def test_directories_that_were_created_are_removed_the_deepest_first() -> None:
    paths = (CERTS, f"{CERTS}/a", f"{CERTS}/a/b", f"{CERTS}/c")
    saved = generation("g1", *(ManifestEntry(path, None, directory=True) for path in paths))

    plan = plan_rollback(NODE, node(saved))

    assert plan.files.emptied_folders == (f"{CERTS}/a/b", f"{CERTS}/a", f"{CERTS}/c", CERTS)
    assert plan.changes == ()


def test_a_file_that_was_edited_since_is_noted() -> None:
    state = ManagedFile(OwnedState("g1", {PATH: OURS.digest}).render())
    saved = generation("g1", ManifestEntry(PATH, OLD))

    edited = plan_rollback(NODE, node(saved, files={PATH: NEW, STATE_FILE: state}))
    unedited = plan_rollback(NODE, node(saved, files={PATH: OURS, STATE_FILE: state}))

    assert [note.partition(" (")[0] for note in edited.notes] == [
        "undoes g1",
        f"{PATH} was edited since fleet wrote it",
    ]
    assert unedited.notes == ("undoes g1",)


def test_what_was_not_a_file_is_noted_with_its_place() -> None:
    odd = ManifestEntry("/etc/fifo", None, copied=SavedKind.ODD, saved=f"{SAVED}/odd/0")

    plan = plan_rollback(NODE, node(generation("g1", odd)))

    assert plan.notes == (
        "undoes g1",
        f"the original of /etc/fifo (not a regular file) stays at {SAVED}/odd/0",
    )


def test_hard_links_to_a_restored_file_are_linked_again() -> None:
    link = ManifestEntry(PATH, None, copied=SavedKind.LINK, saved=f"{SAVED}/hard/0")
    saved = generation("g1", ManifestEntry(PATH, OLD), link)

    plan = plan_rollback(NODE, node(saved, files={PATH: NEW}))

    assert plan.rollback is not None
    assert plan.rollback.saved_links == ((f"{SAVED}/hard/0", PATH),)


def test_hard_links_of_a_newer_generation_are_not() -> None:
    link = ManifestEntry(PATH, None, copied=SavedKind.LINK, saved=f"{SAVED}/hard/0")
    newer = generation("g2", ManifestEntry(PATH, NEW), link)
    older = generation("g1", ManifestEntry(PATH, OLD))

    plan = plan_rollback(NODE, node(newer, older, files={PATH: OURS}), SINCE)

    assert plan.rollback is not None
    assert plan.rollback.saved_links == ()


def test_a_rollback_that_would_upgrade_k3s_is_refused() -> None:
    path = "/etc/rancher/k3s/registries.yaml"
    lines = (ManifestEntry(path, None), ManifestEntry(STATE_FILE, None))
    daemon = replace(facts_with({}).daemon, rancher=RancherFacts(program="/k3s", replaced=True))
    node = NodeFacts(daemon=daemon, generations=(Generation("g1", lines),), files={path: OURS})

    plan = plan_rollback(NODE, node)

    assert plan.failure is not None
    assert plan.failure.kind is FailureKind.CONFLICT
    assert "would also upgrade it" in plan.failure.message

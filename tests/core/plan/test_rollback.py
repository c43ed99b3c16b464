"""Plans of rollbacks: what they restore, from which copies, and the notes of their plans."""

from __future__ import annotations

import pytest

from fleet.core.model.change import Action, ManagedFile
from fleet.core.model.facts import CriFacts, NodeFacts, PathFacts
from fleet.core.model.generation import Generation, ManifestEntry, SavedKind
from fleet.core.model.node import Node
from fleet.core.model.owned_state import STATE_FILE
from fleet.core.model.paths import Kind, PathEntry
from fleet.core.plan.rollback import plan_rollback

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


@pytest.mark.parametrize("ill", ["", "its CRI plugin is error"])
def test_a_state_that_was_not_healthy_is_named_in_the_plan(ill: str) -> None:
    plan = plan_rollback(NODE, facts([ManifestEntry(PATH, OURS)], None, ill))

    assert plan.failure is None
    assert plan.rollback.unhealthy == ill
    assert any(ill in note for note in plan.notes) if ill else not plan.notes

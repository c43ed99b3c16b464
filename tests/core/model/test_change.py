"""Files on a node and changes to them."""

from __future__ import annotations

import pytest

from fleet.core.model.change import Action, Change, ManagedFile

OLD, NEW = ManagedFile(b"old"), ManagedFile(b"new")


@pytest.mark.parametrize(
    ("before", "after", "action"),
    [
        (None, NEW, Action.CREATE),
        (OLD, NEW, Action.UPDATE),
        (OLD, None, Action.DELETE),
        (OLD, OLD, Action.UPDATE),
    ],
)
def test_the_action_of_a_change(
    before: ManagedFile | None, after: ManagedFile | None, action: Action
) -> None:
    assert Change("/a", before, after).action is action


def test_the_digest_of_a_file_is_its_sha_256() -> None:
    assert ManagedFile(b"").digest == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_the_digest_of_a_link_is_its_target() -> None:
    assert ManagedFile(b"content", link="/b").digest == "@/b"


def test_the_mode_and_the_owner_are_not_part_of_a_digest() -> None:
    assert ManagedFile(b"a", 0o600, 1, 2).digest == ManagedFile(b"a").digest


def test_a_file_is_readable_for_all_and_of_root_by_default() -> None:
    file = ManagedFile(b"")

    assert (file.mode, file.uid, file.gid, file.secret) == (0o644, 0, 0, False)

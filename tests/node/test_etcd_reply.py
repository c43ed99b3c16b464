"""What a control plane node says about etcd, read from a probe's reply."""

from __future__ import annotations

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.etcd import Etcd, EtcdMember, EtcdState
from fleet.node.etcd_reply import read_etcd
from fleet.node.script import Reply


def read(state: str, *members: str) -> Etcd | None:
    """Return what is read from these records."""
    return read_etcd(
        Reply([("etcd", (f"={state}",)), *(("etcd_member", (f"={each}",)) for each in members)])
    )


def test_members_that_only_answer_others_are_healthy_while_one_serves() -> None:
    found = read("listed", "healthy voter 1 cp1", "answering voter 0 cp2", "down learner 0 cp 3")

    assert found == Etcd(
        EtcdState.LISTED,
        (
            EtcdMember("cp1", healthy=True, own=True),
            EtcdMember("cp2", healthy=True),
            EtcdMember("cp 3", healthy=False, voter=False),
        ),
    )


def test_without_one_that_serves_there_is_no_quorum() -> None:
    found = read("listed", "down voter 1 cp1", "answering voter 0 cp2", "answering voter 0 cp3")

    assert found is not None
    assert found.healthy == 0


@pytest.mark.parametrize("word", ["silent", "away", "unknown"])
def test_a_node_that_cannot_tell_gives_the_reason(word: str) -> None:
    assert read(f"{word} no etcd runs on it") == Etcd(EtcdState(word), (), "no etcd runs on it")


def test_a_worker_says_nothing_of_etcd() -> None:
    assert read_etcd(Reply([])) is None


def test_an_empty_list_of_members_is_not_an_answer() -> None:
    found = read("listed")

    assert found is not None
    assert (found.listed, found.reason) == (False, "its etcd lists no members")


HOSTILE = {
    "another state": ("fine", "healthy voter 1 cp1"),
    "another health": ("listed", "great voter 1 cp1"),
    "fields that are missing": ("listed", "healthy voter"),
}


@pytest.mark.parametrize(("state", "member"), HOSTILE.values(), ids=HOSTILE)
def test_anything_else_is_refused(state: str, member: str) -> None:
    with pytest.raises(NodeError) as raised:
        read(state, member)

    assert raised.value.failure.kind is FailureKind.PROTOCOL


def test_a_name_is_safe_to_show() -> None:
    found = read_etcd(
        Reply(
            [
                ("etcd", ("=listed",)),
                ("etcd_member", ("aGVhbHRoeSB2b3RlciAxIBtbMzFteA==",)),
                ("etcd_member", (f"=healthy voter 0 {'n' * 400}",)),
            ]
        )
    )

    assert found is not None
    assert "\x1b" not in found.members[0].name
    assert len(found.members[1].name) == 100

"""The quorum of etcd: when one more member may go down."""

from __future__ import annotations

import pytest

from fleet.core.model.etcd import Etcd, EtcdMember, EtcdState, quorum_problem


def etcd_of(letters: str) -> Etcd:
    """Return members by letters: H healthy, D down, l a healthy learner, d one that is down."""
    members = (
        EtcdMember(f"m{place}", letter in "Hl", voter=letter in "HD", own=place == 0)
        for place, letter in enumerate(letters)
    )
    return Etcd(EtcdState.LISTED, tuple(members))


CASES = {
    "three healthy": ("HHH", 1, ""),
    "one of three is down": ("HHD", 1, "etcd would lose its quorum"),
    "the one that is down is the node's own": ("DHH", 0, ""),
    "two of three are down": ("HDD", 0, "etcd has no quorum"),
    "five can spare two": ("HHHHD", 1, ""),
    "five can spare no third": ("HHHDD", 1, "etcd would lose its quorum"),
    "two at once of five": ("HHHHH", 2, ""),
    "three at once of five": ("HHHHH", 3, "etcd would lose its quorum"),
    "four can spare one": ("HHHH", 1, ""),
    "four cannot spare two": ("HHHD", 1, "etcd would lose its quorum"),
    "a single member is always lost": ("H", 1, ""),
    "a single member that is down": ("D", 0, ""),
    "one of two is always lost": ("HH", 1, ""),
    "one of two is down": ("HD", 1, "etcd has no quorum"),
    "a learner does not vote": ("HHHd", 1, ""),
    "a learner does not help": ("HHDl", 1, "etcd would lose its quorum"),
}


@pytest.mark.parametrize(("letters", "taken", "problem"), CASES.values(), ids=CASES)
def test_a_member_goes_down_only_if_the_quorum_stays(
    letters: str, taken: int, problem: str
) -> None:
    found = quorum_problem(etcd_of(letters), taken)

    assert found.partition(" (")[0] == problem


def test_the_problem_names_the_members_that_are_down() -> None:
    assert quorum_problem(etcd_of("HHD"), 1) == (
        "etcd would lose its quorum (2 of 3 members healthy, not m2)"
    )


OWN = {
    "healthy": (etcd_of("HHH"), 1),
    "down": (etcd_of("DHH"), 0),
    "silent": (Etcd(EtcdState.SILENT), 0),
    "elsewhere": (Etcd(EtcdState.AWAY), 0),
    "not known": (Etcd(EtcdState.UNKNOWN), 1),
}


@pytest.mark.parametrize(("etcd", "votes"), OWN.values(), ids=OWN)
def test_the_votes_that_go_down_with_a_node(etcd: Etcd, votes: int) -> None:
    assert etcd.own_votes == votes


def test_the_summary_says_what_is_known() -> None:
    assert etcd_of("HHH").summary == "3 of 3 members healthy"
    assert etcd_of("H").summary == "1 of 1 member healthy"
    assert Etcd(EtcdState.AWAY, reason="no etcd runs on it").summary == (
        "quorum unknown: no etcd runs on it"
    )
    assert not Etcd(EtcdState.LISTED, (EtcdMember("l", True, voter=False),)).listed

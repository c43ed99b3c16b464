"""Files that were changed, removed or added since fleet wrote them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.masking import stars
from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.node import Node
from fleet.core.plan.drift import Drift, DriftedFile, find_drift
from fleet.core.plan.node_plan import NodePlan, PlannedConfig
from tests.support.build import facts_with, owning

CERTS = "/etc/containerd/certs.d"
HOSTS, QUAY = f"{CERTS}/docker.io/hosts.toml", f"{CERTS}/quay.io/hosts.toml"
OWNED = owning(facts_with({HOSTS: "a\n"}), HOSTS)


def plan(*changes: Change, directory: str | None = CERTS) -> NodePlan:
    config = PlannedConfig(hosts_directory=directory)
    return NodePlan(node=Node(name="n", host="n"), changes=changes, config=config)


def with_files(facts: NodeFacts, files: dict[str, str | None]) -> NodeFacts:
    """Return the facts with files written (or removed, for None) since."""
    new = {
        **facts.files,
        **{path: ManagedFile((text or "").encode()) for path, text in files.items()},
    }
    gone = {path for path, text in files.items() if text is None}
    return replace(facts, files={path: file for path, file in new.items() if path not in gone})


def drifts(facts: NodeFacts, node_plan: NodePlan) -> list[tuple[str, Drift]]:
    return [(file.path, file.drift) for file in find_drift(facts, node_plan, stars)]


CASES: dict[str, tuple[dict[str, str | None], list[tuple[str, Drift]]]] = {
    "nothing": ({}, []),
    "an edit": ({HOSTS: "b\n"}, [(HOSTS, Drift.CHANGED)]),
    "a removal": ({HOSTS: None}, [(HOSTS, Drift.MISSING)]),
    "a new file in the hosts directory": ({QUAY: ""}, [(QUAY, Drift.EXTRA)]),
    "a new file elsewhere": ({"/etc/other/hosts.toml": ""}, []),
    "sorted by path": (
        {QUAY: "", HOSTS: "b", f"{CERTS}/a/hosts.toml": ""},
        [
            (f"{CERTS}/a/hosts.toml", Drift.EXTRA),
            (HOSTS, Drift.CHANGED),
            (QUAY, Drift.EXTRA),
        ],
    ),
}


@pytest.mark.parametrize(("files", "expected"), CASES.values(), ids=list(CASES))
def test_the_files_that_drifted(
    files: dict[str, str | None], expected: list[tuple[str, Drift]]
) -> None:
    assert drifts(with_files(OWNED, files), plan()) == expected


def test_a_node_that_fleet_never_changed_has_no_drift() -> None:
    assert drifts(facts_with({QUAY: ""}), plan()) == []


def test_without_a_hosts_directory_no_file_is_extra() -> None:
    assert drifts(with_files(OWNED, {QUAY: ""}), plan(directory=None)) == []


def test_a_drifted_file_has_its_author_its_time_and_what_a_rollout_would_do() -> None:
    ours, edited = 'server = "https://a"\n', 'server = "https://b"\n'
    facts = with_files(OWNED, {HOSTS: edited})
    facts = replace(facts, paths=replace(facts.paths, changed_at={HOSTS: 1_700_000_000}))
    change = Change(HOSTS, ManagedFile(edited.encode()), ManagedFile(ours.encode()))

    (drifted,) = find_drift(facts, plan(change), stars)

    assert (drifted.author, drifted.changed_at) == ("a person", 1_700_000_000)
    assert drifted.diff.splitlines()[-2:] == ['-server = "https://b"', '+server = "https://a"']


def test_a_file_that_a_rollout_leaves_has_no_diff() -> None:
    (drifted,) = find_drift(with_files(OWNED, {QUAY: ""}), plan(), stars)

    assert (drifted.diff, drifted.changed_at) == ("", None)


@pytest.mark.parametrize(
    ("drift", "diff", "effect"),
    [
        (Drift.MISSING, "+a", "recreates it"),
        (Drift.CHANGED, "+a", "overwrites it (backup kept)"),
        (Drift.EXTRA, "-a", "overwrites it (backup kept)"),
        (Drift.EXTRA, "", "ignores it"),
        (Drift.MISSING, "", "ignores it"),
    ],
)
def test_what_a_rollout_does_to_a_drifted_file(drift: Drift, diff: str, effect: str) -> None:
    assert DriftedFile("/a", drift, "a person", None, diff).rollout == effect

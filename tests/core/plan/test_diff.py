"""The changes that a node needs, and their order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Foreign
from fleet.core.plan.diff import diff_files, order_changes
from fleet.core.render.base import DesiredFiles
from tests.support.build import facts_with, owning

CERTS = "/etc/containerd/certs.d"
HOSTS, QUAY = f"{CERTS}/docker.io/hosts.toml", f"{CERTS}/quay.io/hosts.toml"
CONFIG = "/etc/containerd/config.toml"
OLD, NEW = ManagedFile(b"old"), ManagedFile(b"new")


def desired(files: dict[str, ManagedFile]) -> DesiredFiles:
    return DesiredFiles(files, CERTS)


def diff(
    facts: NodeFacts, files: dict[str, ManagedFile], foreign: Foreign = Foreign.ADOPT
) -> list[Change]:
    return [*diff_files(facts, desired(files), foreign)]


def test_a_missing_file_is_created() -> None:
    assert diff(facts_with({}), {HOSTS: NEW}) == [Change(HOSTS, None, NEW)]


def test_an_equal_file_is_left() -> None:
    assert diff(facts_with({HOSTS: "old"}), {HOSTS: OLD}) == []


def test_a_file_that_differs_is_updated() -> None:
    assert diff(facts_with({HOSTS: "old"}), {HOSTS: NEW}) == [Change(HOSTS, OLD, NEW)]


def with_file(file: ManagedFile) -> NodeFacts:
    return replace(facts_with({}), files={HOSTS: file})


def test_the_owner_and_the_mode_of_a_file_stay() -> None:
    before = ManagedFile(b"old", 0o640, 1, 2)

    (change,) = diff(with_file(before), {HOSTS: NEW})

    assert change.after == ManagedFile(b"new", 0o640, 1, 2)


def test_another_mode_or_owner_is_not_a_difference() -> None:
    assert diff(with_file(ManagedFile(b"old", 0o640, 1, 2)), {HOSTS: OLD}) == []


def test_a_secret_gets_its_own_mode() -> None:
    secret = ManagedFile(b"old", 0o600, secret=True)

    (change,) = diff(with_file(ManagedFile(b"old", 0o644, 1, 2)), {HOSTS: secret})

    assert change.after == ManagedFile(b"old", 0o600, 1, 2, secret=True)


def test_a_link_is_replaced_by_a_file() -> None:
    (change,) = diff(with_file(ManagedFile(b"old", link="/elsewhere")), {HOSTS: OLD})

    assert change.after is not None
    assert change.after.link == ""


def test_a_file_of_fleet_that_is_not_wanted_any_more_is_deleted() -> None:
    facts = owning(facts_with({HOSTS: "old", QUAY: "old"}), HOSTS, QUAY)

    assert diff(facts, {HOSTS: OLD}) == [Change(QUAY, OLD, None)]


def test_a_file_of_fleet_that_was_edited_stays() -> None:
    facts = owning(facts_with({QUAY: "old"}), QUAY)
    edited = replace(facts, files={**facts.files, QUAY: ManagedFile(b"edited")})

    assert diff(edited, {}) == []


def test_a_config_that_is_read_at_a_restart_is_never_deleted() -> None:
    assert diff(owning(facts_with({CONFIG: "old"}), CONFIG), {}) == []


FOREIGN = {
    "adopt": (Foreign.ADOPT, QUAY, False),
    "keep": (Foreign.KEEP, QUAY, False),
    "overwrite": (Foreign.OVERWRITE, QUAY, True),
    "overwrite, another file": (Foreign.OVERWRITE, f"{CERTS}/quay.io/ca.crt", False),
    "overwrite, another folder": (Foreign.OVERWRITE, "/srv/quay.io/hosts.toml", False),
    "overwrite, a name of no registry": (Foreign.OVERWRITE, f"{CERTS}/*/hosts.toml", False),
}


@pytest.mark.parametrize(("foreign", "path", "deleted"), FOREIGN.values(), ids=list(FOREIGN))
def test_a_hosts_file_of_others_is_deleted_by_overwrite_alone(
    foreign: Foreign, path: str, deleted: bool
) -> None:
    changes = diff(facts_with({path: "theirs"}), {}, foreign)

    assert [change.path for change in changes] == [path] * deleted


def test_overwrite_deletes_a_file_of_fleet_once() -> None:
    facts = owning(facts_with({QUAY: "old"}), QUAY)

    assert diff(facts, {}, Foreign.OVERWRITE) == [Change(QUAY, OLD, None)]


def test_overwrite_without_a_hosts_directory_deletes_nothing() -> None:
    facts = facts_with({QUAY: "theirs"})

    assert [*diff_files(facts, DesiredFiles({}, None), Foreign.OVERWRITE)] == []


def test_no_file_is_named_before_it_is_there() -> None:
    pem = f"{CERTS}/docker.io/m.0.ca.pem"
    changes = [
        Change(QUAY, OLD, None),
        Change(CONFIG, OLD, NEW),
        Change(HOSTS, None, NEW),
        Change(pem, None, NEW),
        Change(f"{CERTS}/a/hosts.toml", None, NEW),
    ]

    assert [change.path for change in order_changes(changes)] == [
        pem,
        f"{CERTS}/a/hosts.toml",
        HOSTS,
        CONFIG,
        QUAY,
    ]

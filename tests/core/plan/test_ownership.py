"""The files that fleet owns once a plan is carried out."""

from __future__ import annotations

from dataclasses import replace

from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.owned_state import STATE_FILE, OwnedState
from fleet.core.plan.ownership import owned_after
from fleet.core.render.base import DesiredFiles
from tests.support.build import facts_with, owning

CERTS = "/etc/containerd/certs.d"
HOSTS, QUAY = f"{CERTS}/docker.io/hosts.toml", f"{CERTS}/quay.io/hosts.toml"
CONFIG = "/etc/containerd/config.toml"
NEW = ManagedFile(b"new")
CHANGES = (Change(HOSTS, None, NEW),)


def test_files_that_were_written_are_owned() -> None:
    desired = DesiredFiles({HOSTS: NEW}, CERTS, legacy=("mirrors.a",))

    assert owned_after(facts_with({}), desired, CHANGES) == OwnedState(
        None, {HOSTS: NEW.digest}, ("mirrors.a",)
    )


def test_files_that_were_equal_already_are_owned_too() -> None:
    desired = DesiredFiles({HOSTS: NEW, QUAY: NEW}, CERTS)

    assert set(owned_after(facts_with({QUAY: "new"}), desired, CHANGES).files) == {HOSTS, QUAY}


def test_without_a_change_the_record_stays() -> None:
    facts = owning(facts_with({QUAY: "old"}), QUAY, legacy=("mirrors.a",))

    assert owned_after(facts, DesiredFiles({HOSTS: NEW}, CERTS), ()) == facts.state


def test_the_generation_is_left_to_the_driver() -> None:
    facts = owning(facts_with({QUAY: "old"}), QUAY)

    assert owned_after(facts, DesiredFiles({HOSTS: NEW}, CERTS), CHANGES).generation == "g1"


def test_a_hosts_file_that_is_not_wanted_any_more_is_not_owned() -> None:
    facts = owning(facts_with({QUAY: "old"}), QUAY)

    assert set(owned_after(facts, DesiredFiles({HOSTS: NEW}, CERTS), CHANGES).files) == {HOSTS}


def test_a_config_remains_owned_until_it_is_edited() -> None:
    facts = owning(facts_with({CONFIG: "old"}), CONFIG)
    edited = replace(facts, files={**facts.files, CONFIG: ManagedFile(b"edited")})
    desired = DesiredFiles({HOSTS: NEW}, CERTS)

    assert set(owned_after(facts, desired, CHANGES).files) == {HOSTS, CONFIG}
    assert set(owned_after(edited, desired, CHANGES).files) == {HOSTS}


def migrated(facts: NodeFacts, *paths: str) -> NodeFacts:
    state = OwnedState(migrated={path: facts.files[path].digest for path in paths})
    return replace(facts, files={**facts.files, STATE_FILE: ManagedFile(state.render())})


def test_a_file_that_is_written_once_is_migrated_and_not_owned() -> None:
    desired = DesiredFiles({HOSTS: NEW, QUAY: NEW}, CERTS, unmanaged=frozenset({QUAY}))

    state = owned_after(facts_with({}), desired, CHANGES)

    assert (state.files, state.migrated) == ({HOSTS: NEW.digest}, {QUAY: NEW.digest})


def test_a_migrated_file_is_remembered_until_it_is_edited() -> None:
    facts = migrated(facts_with({QUAY: "old"}), QUAY)
    edited = replace(facts, files={**facts.files, QUAY: ManagedFile(b"edited")})
    desired = DesiredFiles({HOSTS: NEW}, CERTS)

    assert set(owned_after(facts, desired, CHANGES).migrated) == {QUAY}
    assert owned_after(edited, desired, CHANGES).migrated == {}


def test_a_migrated_file_that_mirrors_yaml_names_is_owned() -> None:
    facts = migrated(facts_with({HOSTS: "old"}), HOSTS)

    state = owned_after(facts, DesiredFiles({HOSTS: NEW}, CERTS), CHANGES)

    assert (set(state.files), state.migrated) == ({HOSTS}, {})

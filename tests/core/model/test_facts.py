"""Facts of a node: the version that decides, what fleet owns, and edits that are not loaded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import Answer, DaemonFacts, NodeFacts, RancherFacts, UnitState
from fleet.core.model.owned_state import STATE_FILE, OwnedState
from fleet.core.model.paths import Kind, PathEntry
from tests.support.build import CONFIG, facts_with, owning, release

HOSTS = "/etc/containerd/certs.d/docker.io/hosts.toml"
RUNNING, INSTALLED = release("1.7.24"), release("2.0.0")


@pytest.mark.parametrize(("code", "ok"), [(0, True), (1, False), (124, False)])
def test_a_command_succeeds_by_its_exit_code(code: int, ok: bool) -> None:
    assert Answer("text", code).ok is ok


UNITS = {
    "running": (UnitState(active="active", sub="running"), True),
    "exited": (UnitState(active="active", sub="exited"), False),
    "restarting": (UnitState(active="activating", sub="auto-restart"), False),
    "not found": (UnitState(), False),
}


@pytest.mark.parametrize(("unit", "running"), UNITS.values(), ids=list(UNITS))
def test_a_unit_runs_if_it_is_active_and_running(unit: UnitState, running: bool) -> None:
    assert unit.running is running


def test_the_running_version_decides() -> None:
    assert DaemonFacts(running_version=RUNNING, installed_version=INSTALLED).version == RUNNING


def test_without_a_running_daemon_the_installed_version_decides() -> None:
    assert DaemonFacts(installed_version=INSTALLED).version == INSTALLED
    assert DaemonFacts().version is None


def test_the_text_of_the_config() -> None:
    assert facts_with({CONFIG: "version = 2\n"}).config_text == "version = 2\n"


def test_bytes_of_a_config_that_are_not_utf_8_survive() -> None:
    facts = replace(facts_with({}), files={CONFIG: ManagedFile(b"# \xff\n")})

    assert facts.config_text == "# \udcff\n"


def test_a_node_without_a_config() -> None:
    assert facts_with({HOSTS: ""}).config_text is None


def test_the_record_of_fleet_is_read_from_its_file() -> None:
    assert owning(facts_with({HOSTS: "a"}), HOSTS).state.generation == "g1"
    assert facts_with({}).state == OwnedState()


def test_the_digest_of_a_file_that_fleet_owns() -> None:
    facts = owning(facts_with({HOSTS: "a", CONFIG: "b"}), HOSTS)

    assert facts.owned_digest(HOSTS) == facts.files[HOSTS].digest
    assert facts.owned_digest(CONFIG) is None


def test_a_migrated_file_counts_as_owned() -> None:
    state = OwnedState(migrated={HOSTS: "digest"})
    facts = replace(facts_with({}), files={STATE_FILE: ManagedFile(state.render())})

    assert facts.owned_digest(HOSTS) == "digest"


def test_another_path_of_an_owned_file_is_owned() -> None:
    facts = owning(facts_with({HOSTS: "a"}), HOSTS)
    folder = PathEntry(kind=Kind.DIRECTORY, device=1, inode=2)
    entries = {"/etc/containerd/certs.d/docker.io": folder, "/srv/certs/docker.io": folder}
    linked = replace(facts, paths=replace(facts.paths, entries=entries))

    assert linked.owned_digest("/srv/certs/docker.io/hosts.toml") == facts.owned_digest(HOSTS)


IMPORT = "/etc/containerd/conf.d/a.toml"


def edited(started: float | None, **changed_at: int) -> NodeFacts:
    """Return a node whose `config` and `imported` file were changed at these times."""
    paths = {"config": CONFIG, "imported": IMPORT, "other": HOSTS}
    facts = facts_with({})
    return replace(
        facts,
        daemon=replace(facts.daemon, unit=UnitState(started=started)),
        config=replace(facts.config, imports=(IMPORT,)),
        paths=replace(
            facts.paths, changed_at={paths[name]: time for name, time in changed_at.items()}
        ),
    )


EDITS = {
    "before the start": (edited(100.5, config=99), ()),
    "within a second of it": (edited(100.5, config=101), ()),
    "after it": (edited(100.5, config=102), (CONFIG,)),
    "an import": (edited(100.5, imported=200), (IMPORT,)),
    "both": (edited(100.5, imported=200, config=200), (CONFIG, IMPORT)),
    "a file that is read at every pull": (edited(100.5, other=200), ()),
    "a daemon whose start is not known": (edited(None, config=200), ()),
}


@pytest.mark.parametrize(("facts", "paths"), EDITS.values(), ids=list(EDITS))
def test_config_files_that_were_edited_after_the_start(
    facts: NodeFacts, paths: tuple[str, ...]
) -> None:
    assert facts.edited_not_loaded == paths


def test_registries_of_k3s_are_loaded_at_its_start_and_not_the_config_that_it_generates() -> None:
    facts = edited(100.5, config=200)
    path = "/etc/rancher/k3s/registries.yaml"
    rancher = RancherFacts(registries=path)
    facts = replace(facts, daemon=replace(facts.daemon, rancher=rancher))

    assert facts.edited_not_loaded == ()
    times = {**facts.paths.changed_at, path: 150}
    facts = replace(facts, paths=replace(facts.paths, changed_at=times))
    assert facts.edited_not_loaded == (path,)

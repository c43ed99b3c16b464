"""The undo of one registry: its folder or its table goes back, and the rest stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.model.change import Change, ManagedFile, RestartCost
from fleet.core.model.facts import Answer, ConfigFacts, NodeFacts
from fleet.core.model.generation import Generation, ManifestEntry
from fleet.core.model.node import Node
from fleet.core.model.owned_state import STATE_FILE, OwnedState
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.rollback import plan_rollback
from fleet.core.plan.undo_request import UndoRequest
from tests.support.build import CONFIG, facts_with

NODE = Node(name="a", host="a")
CERTS = "/etc/containerd/certs.d"
HUB, QUAY, LOCAL = (f"{CERTS}/{name}/hosts.toml" for name in ("docker.io", "quay.io", "r_5000_"))
OLD, NEW = ManagedFile(b"old\n"), ManagedFile(b"new\n")


def saved(name: str, before: dict[str, ManagedFile | None], record: OwnedState) -> Generation:
    """Return a generation of these files and this record."""
    entries = (ManifestEntry(path, file) for path, file in before.items())
    state = ManagedFile(record.render(), 0o600)
    return Generation(name, (*entries, ManifestEntry(STATE_FILE, state)))


def node(files: dict[str, ManagedFile], *generations: Generation, legacy: str = "") -> NodeFacts:
    """Return a node with these files, all of them fleet's, and these generations."""
    names = (legacy,) if legacy else ()
    record = OwnedState("g1", {path: file.digest for path, file in files.items()}, names)
    state = {STATE_FILE: ManagedFile(record.render(), 0o600)}
    return replace(facts_with({}), files={**files, **state}, generations=generations)


def undo(facts: NodeFacts, name: str, **request: str) -> NodePlan:
    return plan_rollback(NODE, facts, UndoRequest(registry=name, **request))


THEN = OwnedState("g0", {HUB: OLD.digest, QUAY: OLD.digest})
CHANGED = node({HUB: NEW, QUAY: NEW}, saved("g1", {HUB: OLD, QUAY: OLD}, THEN))


def test_only_the_folder_of_the_registry_goes_back() -> None:
    plan = undo(CHANGED, "quay.io")

    assert (plan.failure, plan.changes) == (None, (Change(QUAY, NEW, OLD),))
    assert plan.restart.cost is RestartCost.NONE
    assert plan.notes == ("undoes quay.io alone", "undoes g1")


def test_it_is_a_change_of_its_own_with_a_generation_of_its_own() -> None:
    plan = undo(CHANGED, "quay.io")

    assert plan.rollback is None
    assert plan.files.state.files == {HUB: NEW.digest, QUAY: OLD.digest}
    assert plan.files.state.generation == "g1"


def test_a_registry_that_was_not_there_loses_its_folder() -> None:
    facts = node({LOCAL: NEW}, saved("g1", {LOCAL: None}, OwnedState("g0")))

    plan = undo(facts, "r:5000")

    assert plan.changes == (Change(LOCAL, NEW, None),)
    assert plan.files.emptied_folders == (LOCAL.removesuffix("/hosts.toml"),)
    assert plan.files.state.files == {}


def test_a_file_of_another_tool_is_not_fleets_again() -> None:
    plan = undo(node({QUAY: NEW}, saved("g1", {QUAY: OLD}, OwnedState())), "quay.io")

    assert plan.changes == (Change(QUAY, NEW, OLD),)
    assert plan.files.state.files == {}


@pytest.mark.parametrize("name", ["ghcr.io", "quay.io"])
def test_a_registry_that_was_not_changed_has_nothing_to_undo(name: str) -> None:
    plan = undo(node({HUB: NEW, QUAY: OLD}, saved("g1", {HUB: OLD, QUAY: OLD}, THEN)), name)

    assert (plan.failure, plan.changes) == (None, ())
    assert plan.notes == (f"nothing to undo: {name} is as it was then",)


def test_a_later_rollout_matters_only_if_it_changed_the_registry_too() -> None:
    older = saved("g1", {HUB: OLD, QUAY: OLD}, THEN)
    facts = node({HUB: NEW, QUAY: NEW}, saved("g2", {HUB: NEW}, THEN), older)

    quay, hub = undo(facts, "quay.io", only="g1"), undo(facts, "docker.io", only="g1")

    assert (quay.failure, quay.changes) == (None, (Change(QUAY, NEW, OLD),))
    assert hub.failure is not None
    assert hub.failure.message == "g2 changed this node after rollout g1"


PLUGIN = 'plugins."io.containerd.grpc.v1.cri".registry.mirrors'
TABLES = """version = 2

[{plugin}."docker.io"]
  endpoint = ["https://{hub}"]

[{plugin}."quay.io"]
  endpoint = ["https://{quay}"]
"""


def config(hub: str, quay: str) -> ManagedFile:
    return ManagedFile(TABLES.format(plugin=PLUGIN, hub=hub, quay=quay).encode())


def legacy(before: ManagedFile) -> NodeFacts:
    """Return a node of 1.4 whose config.toml was changed by one rollout."""
    name = 'mirrors."quay.io"'
    facts = node(
        {CONFIG: config("b", "b")}, saved("g1", {CONFIG: before}, OwnedState()), legacy=name
    )
    old = facts_with({}, "1.4.13").daemon
    dump = Answer(config("b", "b").content.decode(), 0)
    return replace(facts, daemon=old, config=ConfigFacts(path=CONFIG, dump=dump))


def test_a_legacy_table_is_edited_in_its_place() -> None:
    plan = undo(legacy(config("a", "a")), "quay.io")

    assert plan.failure is None, plan.failure
    assert plan.changes == (Change(CONFIG, config("b", "b"), config("b", "a")),)
    assert plan.restart.cost is RestartCost.RESTART
    assert plan.files.state.files == {CONFIG: config("b", "a").digest}
    assert plan.files.state.legacy == ()


def test_a_legacy_table_that_was_not_there_is_removed() -> None:
    text = config("b", "x").content.decode().partition(f'\n[{PLUGIN}."quay.io"]')[0]

    plan = undo(legacy(ManagedFile(b"version = 2\n")), "quay.io")

    assert plan.failure is None, plan.failure
    (change,) = plan.changes
    assert change.after is not None
    assert change.after.content.decode().strip() == text.strip()


INSEPARABLE = {
    "k3s": {"/etc/rancher/k3s/registries.yaml": OLD},
    "a registry that was moved to certs.d": {HUB: None, CONFIG: ManagedFile(
        f'version = 2\n[{PLUGIN}."docker.io"]\n  endpoint = ["https://a"]\n'.encode()
    )},
}  # fmt: skip


@pytest.mark.parametrize("before", INSEPARABLE.values(), ids=INSEPARABLE)
def test_what_cannot_be_separated_is_refused(before: dict[str, ManagedFile | None]) -> None:
    plan = undo(node({HUB: NEW, CONFIG: NEW}, saved("g1", before, OwnedState())), "docker.io")

    assert plan.failure is not None
    assert plan.failure.message.endswith("so one registry cannot be undone alone")
    assert plan.failure.remedy == "undo all, without --registry"

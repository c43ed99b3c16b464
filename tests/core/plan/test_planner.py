"""The planner: the plan of each kind of node, and how often it reads a node's files."""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from fleet.core.containerd.config import CRI_1
from fleet.core.failure import FailureKind
from fleet.core.model.change import ManagedFile, RestartCost
from fleet.core.model.facts import (
    Answer,
    CriFacts,
    MachineFacts,
    NodeFacts,
    UnitState,
)
from fleet.core.model.mirror import Foreign, Mirror
from fleet.core.model.node import Node
from fleet.core.model.owned_state import STATE_FILE
from fleet.core.plan.node_plan import state_after
from fleet.core.plan.planner import daemon_access, observations, plan_node
from fleet.core.render.base import DesiredConfig
from tests.node.record import ANSWERS
from tests.node.test_probe import WISHES, facts_of
from tests.support.build import facts_with, owning, registry, release


@pytest.mark.parametrize("suite", ["bullseye", "bookworm", "trixie", "forky"])
def test_a_plan_parses_each_file_of_a_config_once(
    suite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = facts_of((ANSWERS / f"{suite}.txt").read_text())
    assert facts.config_text is not None
    text = f"{facts.config_text}\n# not read before by any test: {suite}\n"
    files = {**facts.files, facts.config.path: ManagedFile(text.encode())}
    parses: Counter[str] = Counter()
    loads = tomllib.loads

    def counting(text: str) -> dict[str, Any]:
        parses[text] += 1
        return loads(text)

    monkeypatch.setattr(tomllib, "loads", counting)
    plan = plan_node(Node(name="n", host="n"), replace(facts, files=files), WISHES)

    edited = [change.after.content.decode() for change in plan.changes if change.after]
    configs = [content for content in edited if content.startswith(text[:40])]
    assert plan.failure is None
    assert parses[text] == 1
    assert configs
    assert [parses[content] for content in configs] == [1] * len(configs)


# -- the plan of a node ---------------------------------------------------------------------------

CONFIG = "/etc/containerd/config.toml"
CERTS = "/etc/containerd/certs.d"
HOSTS, QUAY = f"{CERTS}/docker.io/hosts.toml", f"{CERTS}/quay.io/hosts.toml"
TEXT = f'version = 2\n[plugins."{CRI_1}".registry]\n  config_path = "{CERTS}"\n'
DESIRED = DesiredConfig((registry("docker.io"),))
NODE = Node(name="n", host="n")


def healthy(files: dict[str, str], version: str = "1.7.24", dump: str = TEXT) -> NodeFacts:
    """Return a node with a healthy daemon that reads these files."""
    facts = facts_with(files, version, directories=[CERTS])
    return replace(
        facts,
        daemon=replace(facts.daemon, unit=UnitState(active="active", sub="running")),
        cri=CriFacts(state="ok", runtime_ready=True, crictl_answers=True),
        config=replace(facts.config, dump=Answer(dump, 0)),
    )


def test_a_node_whose_config_is_in_force_gets_hosts_files_without_a_restart() -> None:
    plan = plan_node(NODE, healthy({CONFIG: TEXT}), DESIRED)

    assert plan.failure is None
    assert (plan.strategy, plan.containerd) == ("certs.d", "1.7.24")
    assert [change.path for change in plan.changes] == [HOSTS]
    assert plan.restart.cost is RestartCost.NONE
    assert plan.config.hosts_directory == plan.config.folder_before == CERTS
    assert plan.files.unchanged == ((CONFIG, ManagedFile(TEXT.encode()).digest),)


def test_a_node_without_a_config_path_is_restarted() -> None:
    plan = plan_node(NODE, healthy({CONFIG: "version = 2\n"}, dump="version = 2\n"), DESIRED)

    assert [change.path for change in plan.changes] == [HOSTS, CONFIG]
    assert plan.restart.cost is RestartCost.RESTART
    assert plan.config.folder_before == ""
    assert plan.files.unchanged == ()


def test_a_plan_that_was_carried_out_leaves_nothing_to_do() -> None:
    facts = healthy({CONFIG: TEXT})
    first = plan_node(NODE, facts, DESIRED)
    files = {change.path: change.after for change in first.changes if change.after}
    state = state_after(first, "g")
    assert state is not None

    done = replace(facts, files={**facts.files, **files, STATE_FILE: state})

    assert plan_node(NODE, done, DESIRED).changes == ()


def test_a_deleted_hosts_file_leaves_its_folder_to_be_removed() -> None:
    facts = owning(healthy({CONFIG: TEXT, QUAY: "x = 1\n"}), QUAY)

    plan = plan_node(NODE, facts, DESIRED)

    assert plan.files.emptied_folders == (f"{CERTS}/quay.io",)
    assert plan.notes == ()


def test_every_changed_registry_is_pulled_or_named() -> None:
    desired = DesiredConfig(
        (registry("docker.io", verify="docker.io/library/busybox:1.36"), registry("quay.io"))
    )

    plan = plan_node(NODE, healthy({CONFIG: TEXT}), desired)

    assert [test.image for test in plan.pulls.tests] == ["docker.io/library/busybox:1.36"]
    assert plan.pulls.unproven == ("quay.io",)


THEIRS = 'server = "https://registry-1.docker.io"\n'
FOREIGN_NOTES = {
    "adopted": (healthy({CONFIG: TEXT, HOSTS: THEIRS}), Foreign.ADOPT, f"overwrites {HOSTS}"),
    "removed": (
        healthy({CONFIG: TEXT, QUAY: THEIRS}),
        Foreign.OVERWRITE,
        f"removes {QUAY}, which fleet did not write",
    ),
}


@pytest.mark.parametrize(
    ("facts", "foreign", "words"), FOREIGN_NOTES.values(), ids=list(FOREIGN_NOTES)
)
def test_a_file_of_others_that_is_changed_is_noted(
    facts: NodeFacts, foreign: Foreign, words: str
) -> None:
    plan = plan_node(NODE, facts, replace(DESIRED, foreign=foreign))

    assert [note for note in plan.notes if note.startswith(words)]


def test_an_edited_file_of_fleet_is_noted() -> None:
    facts = owning(healthy({CONFIG: TEXT, HOSTS: "x = 1\n"}), HOSTS)
    edited = replace(facts, files={**facts.files, HOSTS: ManagedFile(THEIRS.encode())})

    plan = plan_node(NODE, edited, DESIRED)

    assert plan.notes == (f"overwrites {HOSTS}, edited since fleet wrote it (backup kept)",)


CREDENTIALS = {
    "none": ("", set()),
    "a login": ('.configs."h".auth]\nusername = "u"\n', {"h"}),
    "TLS": ('.configs."h".tls]\nca_file = "/a"\n', set()),
    "the old table of logins": ('.auths."https://h"]\nauth = "x"\n', {"*"}),
    "headers": ('.headers]\nX = ["a"]\n', {"*"}),
}


@pytest.mark.parametrize(("setting", "hosts"), CREDENTIALS.values(), ids=list(CREDENTIALS))
def test_the_hosts_for_which_the_daemon_has_credentials(setting: str, hosts: set[str]) -> None:
    dump = f'[plugins."{CRI_1}".registry{setting}' if setting else ""

    assert daemon_access(healthy({}, dump=dump)).credentials == hosts


def test_a_dump_that_cannot_be_read_may_have_credentials_for_all() -> None:
    assert daemon_access(healthy({}, dump="[")).credentials == {"*"}


UNSUPPORTED = {
    "no containerd": (NodeFacts(), "containerd does not answer on this node (unit not-found)"),
    "too old": (
        healthy({}, "1.1.8"),
        "containerd 1.1.8 is older than 1.2, the oldest that fleet supports",
    ),
    "a read-only system": (
        replace(healthy({}), machine=MachineFacts(distribution_id="cos")),
        "Container-Optimized OS are read-only",
    ),
}


@pytest.mark.parametrize(("facts", "words"), UNSUPPORTED.values(), ids=list(UNSUPPORTED))
def test_a_node_that_cannot_be_planned_has_a_failure_and_no_change(
    facts: NodeFacts, words: str
) -> None:
    plan = plan_node(NODE, facts, DESIRED)

    assert plan.failure is not None
    assert plan.failure.kind is FailureKind.UNSUPPORTED
    assert words in plan.failure.message
    assert plan.changes == ()


def test_a_plan_that_fails_still_has_the_findings_of_the_node() -> None:
    plan = plan_node(NODE, healthy({CONFIG: 'disabled_plugins = ["cri"]\n'}), DESIRED)

    assert plan.failure is not None
    assert [finding.code for finding in plan.findings] == ["cri-disabled"]


def test_an_unhealthy_node_is_not_changed() -> None:
    facts = replace(healthy({CONFIG: TEXT}), cri=CriFacts(state="error"))

    plan = plan_node(NODE, facts, DESIRED)

    assert plan.failure is not None
    assert plan.failure.kind is FailureKind.HEALTH


def test_an_unhealthy_node_without_a_change_is_planned() -> None:
    facts = replace(healthy({CONFIG: TEXT}), cri=CriFacts(state="error"))

    plan = plan_node(NODE, facts, DesiredConfig(()))

    assert plan.failure is None
    assert plan.daemon.unhealthy == "its CRI plugin reports error"


OBSERVATIONS = {
    "nothing": (healthy({}), []),
    "a newer release": (
        healthy({}, "2.4.0"),
        ["containerd 2.4.0 is unknown to this fleet, which treats it like 2.3"],
    ),
    "a newer patch": (healthy({}, "2.3.9"), []),
    "a newer major release": (
        healthy({}, "3.0.0"),
        ["containerd 3.0.0 is unknown to this fleet, which treats it like 2.3"],
    ),
    "EKS": (
        replace(healthy({}), machine=MachineFacts(marks=("/etc/eks",))),
        ["EKS generates config.toml at every boot; files below certs.d are not affected"],
    ),
}


@pytest.mark.parametrize(("facts", "notes"), OBSERVATIONS.values(), ids=list(OBSERVATIONS))
def test_notes_that_matter_for_every_plan(facts: NodeFacts, notes: list[str]) -> None:
    assert [*observations(facts)] == notes


@pytest.mark.parametrize(
    "version", ["1.2.0", "1.4.13", "1.5.0", "1.7.32", "2.0.0", "2.3.4", "3.0.0"]
)
def test_every_release_that_fleet_knows_has_a_strategy(version: str) -> None:
    assert plan_node(NODE, replace(healthy({}, version), offline=True), DESIRED).failure is None


def test_a_file_of_fleet_that_is_removed_is_not_noted_as_edited() -> None:
    facts = owning(healthy({CONFIG: TEXT, QUAY: "x = 1\n"}), QUAY)

    assert plan_node(NODE, facts, replace(DESIRED, foreign=Foreign.OVERWRITE)).notes == ()


def test_a_release_that_is_installed_and_does_not_run_is_noted() -> None:
    facts = healthy({})
    facts = replace(facts, daemon=replace(facts.daemon, installed_version=release("2.0.0")))

    assert [*observations(facts)] == ["containerd 1.7.24 is running, but 2.0.0 is installed"]


def test_a_plan_needs_the_certificates_that_only_the_node_has() -> None:
    mirror = Mirror(url="https://a", ca_paths=("/ca",), client_paths=(("/cert", "/key"),))
    wanted = registry("q", mirrors=(mirror,))

    plan = plan_node(
        Node(name="n", host="n"), replace(facts_with({}), offline=True), DesiredConfig((wanted,))
    )

    assert plan.files.needed == ("/ca", "/cert", "/key")

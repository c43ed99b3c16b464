"""The undo of one registry restores the logins and certificates of its hosts, and no others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import Answer, ConfigFacts, NodeFacts
from fleet.core.model.generation import Generation, ManifestEntry
from fleet.core.model.node import Node
from fleet.core.model.owned_state import STATE_FILE, OwnedState
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.registry_hosts import RegistryFiles
from fleet.core.plan.rollback import plan_rollback
from fleet.core.plan.undo_request import UndoRequest
from tests.support.build import CONFIG, facts_with

HARBOR = "harbor.example:5000"
CA = "/etc/containerd/fleet/harbor.example_5000.ca.pem"
QUAY = "/etc/containerd/certs.d/quay.io/hosts.toml"
HUB = "/etc/containerd/certs.d/docker.io/hosts.toml"
PLUGIN = 'plugins."io.containerd.grpc.v1.cri".registry'
AUTH = f'[{PLUGIN}.configs."{HARBOR}".auth]\n  username = "u"\n  password = "{{}}"\n'
TLS = f'[{PLUGIN}.configs."{HARBOR}".tls]\n  ca_file = "{CA}"\n'
NAMES = (
    'mirrors."quay.io"', f'configs."{HARBOR}".auth', f'configs."{HARBOR}".tls'
)  # fmt: skip
PEM = ManagedFile(b"-----BEGIN CERTIFICATE-----\n")


def mirror(name: str, url: str) -> str:
    return f'[{PLUGIN}.mirrors."{name}"]\n  endpoint = ["{url}"]\n'


def config(*parts: str) -> ManagedFile:
    return ManagedFile("\n".join(("version = 2\n", *parts)).encode(), 0o600, secret=True)


def hosts(url: str) -> ManagedFile:
    return ManagedFile(f'server = "https://quay.io"\n\n[host."{url}"]\n'.encode())


FILES = dict[str, ManagedFile | None]
PUBLIC = "https://mirror.example"
OLD = config(mirror("quay.io", f"https://{HARBOR}"), AUTH.format("p"), TLS)
NEW = config(mirror("quay.io", PUBLIC))


def node(now: FILES, then: FILES, version: str, legacy: tuple[str, ...] = ()) -> NodeFacts:
    """Return a node whose one rollout replaced `then`, with a record of `legacy` before it."""
    files = {path: file for path, file in now.items() if file is not None}
    owned = {path: file.digest for path, file in files.items()}
    record = ManagedFile(OwnedState("g1", owned, () if legacy else NAMES).render(), 0o600)
    before = OwnedState("g0", {path: file.digest for path, file in then.items() if file}, legacy)
    entries = [ManifestEntry(path, file) for path, file in then.items()]
    entries.append(ManifestEntry(STATE_FILE, ManagedFile(before.render(), 0o600)))
    facts = facts_with({}, version)
    dump = Answer(files[CONFIG].content.decode(), 0)
    return replace(
        facts,
        files={**files, STATE_FILE: record},
        config=ConfigFacts(path=CONFIG, dump=dump),
        generations=(Generation("g1", tuple(entries)),),
    )


def undo(facts: NodeFacts) -> NodePlan:
    return plan_rollback(Node(name="a", host="a"), facts, UndoRequest(registry="quay.io"))


def written(plan: NodePlan) -> dict[str, str | None]:
    """Return the text of each file that a plan writes, without empty lines."""
    assert plan.failure is None, plan.failure
    return {change.path: change.after and _text(change.after) for change in plan.changes}


def _text(file: ManagedFile) -> str:
    return "\n".join(filter(None, file.content.decode().splitlines()))


def test_a_table_comes_back_with_its_login_and_certificate() -> None:
    plan = undo(node({CONFIG: NEW}, {CONFIG: OLD, CA: PEM}, "1.4.13", NAMES))

    files = written(plan)
    assert files[CA] == _text(PEM)
    assert set((files[CONFIG] or "").splitlines()) == set(_text(OLD).splitlines())
    assert set(plan.files.state.legacy) == set(NAMES)
    assert plan.files.state.files[CA] == PEM.digest
    assert all(change.after and change.after.secret for change in plan.changes[-1:])


def test_a_mirror_that_was_not_there_leaves_no_login_and_no_certificate() -> None:
    plan = undo(node({CONFIG: OLD, CA: PEM}, {CONFIG: NEW, CA: None}, "1.4.13"))

    assert written(plan) == {CA: None, CONFIG: _text(NEW)}
    assert plan.files.state.legacy == ()
    assert CA not in plan.files.state.files


def test_a_hosts_toml_comes_back_with_its_login() -> None:
    base = f'[{PLUGIN}]\n  config_path = "/etc/containerd/certs.d"\n'
    then: FILES = {CONFIG: config(base, AUTH.format("p")), QUAY: hosts(f"https://{HARBOR}")}

    plan = undo(node({CONFIG: config(base), QUAY: hosts(PUBLIC)}, then, "1.7.24", NAMES[1:2]))

    files = written(plan)
    assert 'password = "p"' in (files[CONFIG] or "")
    assert HARBOR in (files[QUAY] or "")
    assert plan.files.state.legacy == NAMES[1:2]
    reverse = written(undo(node(then, {CONFIG: config(base), QUAY: None}, "1.7.24")))
    assert reverse == {QUAY: None, CONFIG: _text(config(base))}


def test_a_changed_password_alone_is_undone() -> None:
    table = mirror("quay.io", f"https://{HARBOR}")
    now, then = config(table, AUTH.format("new")), config(table, AUTH.format("old"))

    plan = undo(node({CONFIG: now}, {CONFIG: then}, "1.4.13", NAMES[:2]))

    assert written(plan) == {CONFIG: _text(then)}


def test_a_host_that_another_registry_needs_keeps_its_login() -> None:
    hub = mirror("docker.io", f"https://{HARBOR}")
    now = config(hub, mirror("quay.io", f"https://{HARBOR}"), AUTH.format("p"))

    plan = undo(node({CONFIG: now}, {CONFIG: config(mirror("quay.io", PUBLIC))}, "1.4.13"))

    assert set((written(plan)[CONFIG] or "").splitlines()) == set(
        _text(config(hub, mirror("quay.io", PUBLIC), AUTH.format("p"))).splitlines()
    )


SHARED = config(
    mirror("docker.io", f"https://{HARBOR}"), mirror("quay.io", PUBLIC), AUTH.format("new")
)
REFUSED: dict[str, tuple[FILES, FILES, str]] = {
    "a login that another registry uses as it is now": (
        {CONFIG: SHARED},
        {CONFIG: OLD, CA: PEM},
        f"{HARBOR}, whose login or TLS settings changed, serves docker.io",
    ),
    "a certificate that was not saved": (
        {CONFIG: NEW}, {CONFIG: OLD}, f"{CA}, which {HARBOR} needs, is not saved",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("now", "then", "reason"), REFUSED.values(), ids=REFUSED)
def test_settings_that_cannot_be_separated_are_refused(
    now: FILES, then: FILES, reason: str
) -> None:
    plan = undo(node(now, then, "1.4.13"))

    assert plan.failure is not None
    assert plan.failure.message == f"{reason}, so one registry cannot be undone alone"
    assert plan.changes == ()


def test_hosts_are_those_of_tables_folders_and_the_registry_itself() -> None:
    table = {"mirrors": {"quay.io": {"endpoint": [f"https://{HARBOR}/v2/q"]}, "*": {}}}
    files = RegistryFiles({QUAY: hosts(PUBLIC), HUB: ManagedFile(b"broken [")}, table)

    assert files.names() == {"quay.io", "_default", "docker.io"}
    assert files.hosts("quay.io") == {HARBOR, "mirror.example", "quay.io"}
    assert files.hosts("docker.io") == {"registry-1.docker.io"}
    assert files.hosts("_default") == set()

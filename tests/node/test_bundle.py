"""The bundle of a change, and the variables of the scripts that carry it out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.model.change import Change, ManagedFile, RestartCost
from fleet.core.model.facts import STATE_FILE
from fleet.core.plan.node_plan import (
    DaemonAccess,
    PlannedConfig,
    PlannedFiles,
    PlannedRestart,
    RollbackTarget,
)
from fleet.node.bundle import activate_script, bundle, guard_script, pack, stage_script
from fleet.node.work_order import Deadlines
from tests.support.orders import order_of, plan_of

CONFIG = "/etc/containerd/config.toml"
OLD, NEW = ManagedFile(b"old", 0o640, 7, 8), ManagedFile(b"new", 0o600, 1, 2)
CREATED = Change("/etc/a", None, NEW)
REPLACED = Change("/etc/b", OLD, NEW)
DELETED = Change("/etc/c", OLD, None)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_every_change_is_one_line_and_the_state_comes_last() -> None:
    packed = bundle(order_of(plan_of(changes=(CREATED, REPLACED, DELETED))))

    *lines, state = packed.operations.splitlines()
    old, new = digest(b"old"), digest(b"new")
    assert lines == [
        f"create\t600\t1\t2\t-\t{new}\t/etc/a",
        f"update\t600\t1\t2\t{old}\t{new}\t/etc/b",
        f"delete\t-\t-\t-\t{old}\t-\t/etc/c",
    ]
    assert state.startswith("create\t600\t0\t0\t-\t")
    assert state.endswith(f"\t{STATE_FILE}")


def test_contents_stand_in_the_order_of_their_lines_and_the_guard_at_the_end() -> None:
    order = order_of(plan_of(changes=(DELETED, REPLACED)))

    new, state, guard, rest = bundle(order).content.split(b"\x1e")

    assert (new, rest) == (b"tnew", b"")
    assert json.loads(state[1:])["generation"] == "r1"
    assert guard == b"t" + guard_script(order).text().encode()


def test_the_bundle_is_named_by_its_digest() -> None:
    order = order_of()
    packed = bundle(order)

    assert packed.digest == digest(packed.content)
    assert packed.guard_digest == digest(guard_script(order).text().encode())


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_contents_are_parted_by_a_mark_that_none_of_them_holds(contents: list[bytes]) -> None:
    packed = pack(contents)

    assert packed.count(b"\x1e") == len(contents)
    assert packed.isascii()


PACKED = {
    "text": (b"a = 'b'\n\t#\r\n", b"ta = 'b'\n\t#\r\n"),
    "nothing": (b"", b"t"),
    "a mark": (b"\x1e", b"bHg=="),
    "a zero byte": (b"\0", b"bAA=="),
    "other letters": ("ü".encode(), b"bw7w="),
}


@pytest.mark.parametrize(("content", "expected"), PACKED.values(), ids=PACKED)
def test_plain_text_is_packed_as_it_is(content: bytes, expected: bytes) -> None:
    assert pack([content]) == expected + b"\x1e"


DAEMON = DaemonAccess(unit="k3s", socket="/run/c.sock", crictl=True, binary="ctrd", unhealthy="ill")
PLAN = plan_of(
    changes=(CREATED,),
    daemon=DAEMON,
    files=PlannedFiles(
        unchanged=(("/etc/x", "ab"), ("/etc/y", None)),
        needed=("/etc/ca.crt", "/etc/key"),
        emptied_folders=("/a", "/b"),
    ),
    config=PlannedConfig(
        path=CONFIG,
        hosts_directory="/etc/certs.d",
        folder_before="/etc/old.d",
        outside_digest="cd",
        ignored_tables=3,
    ),
)


def test_a_staging_knows_the_node_as_the_plan_saw_it() -> None:
    order = order_of(PLAN, deadlines=Deadlines(guard=99))
    packed = bundle(order)

    script = stage_script(order, packed)

    assert (script.name, script.seconds) == ("stage", 60)
    assert script.variables == {
        "ID": "r1",
        "ROLLOUT": "r1",
        "OPERATOR": "eve@there",
        "PURPOSE": "rollout",
        "MESSAGE": "",
        "DIGEST": packed.digest,
        "MARK": "\x1e",
        "OPERATIONS": packed.operations,
        "CHECKS": "ab\t/etc/x\n-\t/etc/y",
        "CONFIGS": "",
        "GUARD": "99",
        "BUNDLE": packed.content.decode(),
        "GUARD_DIGEST": packed.guard_digest,
        "CONFIG": CONFIG,
        "NEEDED": "/etc/ca.crt\n/etc/key",
        "OUTSIDE": "cd",
        "IGNORED": "3",
        "BINARY": "ctrd",
        "ROLLBACK": "0",
        "RESTORES": "",
    }


def test_an_activation_knows_the_daemon() -> None:
    order = order_of(PLAN, deadlines=Deadlines(restart=11, health=7))

    script = activate_script(order, bundle(order))

    assert (script.name, script.seconds) == ("activate", 3 * 18 + 60)
    daemon = {
        "UNIT": "k3s",
        "SOCKET": "/run/c.sock",
        "RESTART": "0",
        "CRICTL": "1",
        "HEALTH_SECONDS": "7",
        "RESTART_SECONDS": "11",
        "LIVENESS": "/etc/certs.d",
        "READ_BEFORE": "/etc/old.d",
        "RESTORES": "",
        "ILL": "ill",
        "ASKS": "1",
        "EMPTIED": "/a\n/b",
        "SAVED": "",
        "LINKS": "",
        "WORKLOADS": "keep",
    }
    assert {key: script.variables[key] for key in daemon} == daemon


def test_an_order_without_liveness_asks_for_none() -> None:
    order = order_of(PLAN, liveness=False)

    variables = activate_script(order, bundle(order)).variables

    assert [variables[key] for key in ("LIVENESS", "READ_BEFORE", "ASKS")] == ["", "", "0"]


RESTARTS = {
    "needed": (PlannedRestart(cost=RestartCost.RESTART), "1", "/etc/certs.d"),
    "not needed": (PlannedRestart(), "0", "/etc/certs.d"),
    "by the distribution": (
        PlannedRestart(cost=RestartCost.RESTART, by_distribution=True),
        "self",
        "/etc/certs.d",
    ),
    "not needed where the distribution restarts": (
        PlannedRestart(by_distribution=True),
        "0",
        "/etc/certs.d",
    ),
}


@pytest.mark.parametrize(("restart", "flag", "liveness"), RESTARTS.values(), ids=RESTARTS)
def test_fleet_restarts_what_no_distribution_restarts(
    restart: PlannedRestart, flag: str, liveness: str
) -> None:
    variables = guard_script(order_of(replace(PLAN, restart=restart))).variables

    assert (variables["RESTART"], variables["LIVENESS"]) == (flag, liveness)


def test_a_rollback_goes_back_to_its_generation() -> None:
    target = RollbackTarget(
        generation="r0",
        state=ManagedFile(b"{}", 0o600),
        saved_copies=(("/g/files/0", "/etc/a"), ("/g/files/1", "/etc/b")),
        saved_links=(("/g/links/0", "/etc/c"),),
    )
    order = order_of(replace(PLAN, rollback=target), disrupt=True, purpose="rollback")
    packed = bundle(order)

    staging, activation = stage_script(order, packed), activate_script(order, packed)

    assert [staging.variables[key] for key in ("ROLLBACK", "RESTORES")] == ["1", "r0"]
    assert [activation.variables[key] for key in ("RESTORES", "WORKLOADS", "PURPOSE")] == [
        "r0",
        "disrupt",
        "rollback",
    ]
    assert activation.variables["SAVED"] == "/g/files/0\t/etc/a\n/g/files/1\t/etc/b"
    assert activation.variables["LINKS"] == "/g/links/0\t/etc/c"
    assert packed.content.split(b"\x1e")[1] == b"t{}"


VALIDATED = {
    "the config": (CONFIG, False, CONFIG),
    "an imported file": ("/etc/containerd/conf.d/x.toml", False, "/etc/containerd/conf.d/x.toml"),
    "a hosts.toml": ("/etc/containerd/certs.d/quay.io/hosts.toml", False, ""),
    "a certificate": ("/etc/containerd/ca.crt", False, ""),
    "a distribution's template": ("/var/lib/rancher/k3s/config.toml", True, ""),
}


@pytest.mark.parametrize(("path", "by_distribution", "configs"), VALIDATED.values(), ids=VALIDATED)
def test_containerd_validates_the_configs_that_it_reads_itself(
    path: str, by_distribution: bool, configs: str
) -> None:
    plan = plan_of(
        changes=(Change(path, None, NEW),), restart=PlannedRestart(by_distribution=by_distribution)
    )
    order = order_of(plan)

    assert stage_script(order, bundle(order)).variables["CONFIGS"] == configs

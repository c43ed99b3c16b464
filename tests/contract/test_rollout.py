"""Rollouts over four nodes by the command: batches, resume, rollback, locks and budgets."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.target import PENDING, Target
from tests.support.fleet import Fleet

MIRRORS = "version: 1\nmirrors:\n  docker.io:\n    endpoints: [https://m.example]\n"
QUICK = ("--soak", "0", "--no-verify", "--json")


@pytest.fixture
def command(four: list[Target], tmp_path: Path) -> Fleet:
    """Return the fleet command in a folder with an inventory of the four nodes."""
    names = "".join(f"    {target.name}: {{}}\n" for target in four)
    fleet = Fleet(tmp_path, str(four[0].access.ssh.config_file))
    fleet.write("inventory.yaml", f"all:\n  hosts:\n{names}")
    fleet.write("mirrors.yaml", MIRRORS)
    return fleet


def statuses(document: Any) -> dict[str, str]:
    """Return each node's status in a document of a rollout."""
    return {name: node["status"] for name, node in document["nodes"].items()}


def all_are(four: list[Target], status: str) -> dict[str, str]:
    """Return the statuses of four nodes that ended alike."""
    return {target.name: status for target in four}


def etc(four: list[Target]) -> list[dict[str, str]]:
    """Describe every node's files below /etc/containerd."""
    return [target.machine.digests("/etc/containerd") for target in four]


def pids(four: list[Target]) -> list[str]:
    """Return the process ids of all daemons."""
    return [target.main_pid() for target in four]


def test_a_rollout_goes_in_batches_and_a_second_one_changes_nothing(
    four: list[Target], command: Fleet
) -> None:
    first = command("rollout", "-y", "--batch", "1,3", *QUICK)
    after = etc(four), pids(four)
    second = command("rollout", "-y", *QUICK)
    four[-1].machine.sh("systemctl stop containerd")
    third = command("rollout", "-y", *QUICK)

    assert first.code == 0, first.text
    assert statuses(first.json) == all_are(four, "converged")
    assert [len(batch) for batch in first.json["batches"]] == [1, 3]
    assert statuses(second.json) == all_are(four, "unchanged")
    assert statuses(third.json) == all_are(four, "unchanged")
    assert third.code == 0
    unhealthy = {name: node["unhealthy"] for name, node in third.json["nodes"].items()}
    assert unhealthy.pop(four[-1].name) == "containerd is inactive/dead"
    assert set(unhealthy.values()) == {""}
    assert (etc(four), pids(four)[:-1]) == (after[0], after[1][:-1])
    assert command("diff", "--exit-code").code == 0
    assert [target.name for target in four if target.held()] == []


def test_a_rollback_restores_every_byte(four: list[Target], command: Fleet) -> None:
    before = etc(four)
    assert command("rollout", "-y", *QUICK).code == 0
    changed = etc(four)

    ran = command("rollback", "-y", "--soak", "0", "--json")

    assert ran.code == 0, ran.text
    assert [new == old for new, old in zip(changed, before, strict=True)] == [False] * 4
    assert etc(four) == before


def test_a_misspelt_registry_is_not_undone_in_silence(four: list[Target], command: Fleet) -> None:
    assert command("rollout", "-y", *QUICK).code == 0
    changed = etc(four)

    for flags in (("undo", "-y"), ("rollback", "--dry-run")):
        ran = command(*flags, "--registry", "dokcer.io")
        assert ran.code == 2, ran.text
        assert 'no node has or had settings for "dokcer.io" (did you mean' in ran.text
    assert etc(four) == changed
    assert command("undo", "-y", "--registry", "Docker.io", "--soak", "0").code == 0
    assert etc(four) != changed


def kill_a_rollout(four: list[Target], command: Fleet, *words: str) -> None:
    """Kill a rollout when the change of the last node is in force and unconfirmed."""
    flags = ("--batch", "1,3", "--no-verify", "--soak", "3")
    running = command.start("rollout", "-y", *flags, *words)
    last = four[-1]
    while not last.read(f"{PENDING}/phase").startswith("swapped"):
        assert running.poll() is None, running.communicate()
    running.kill()
    running.communicate()


def test_a_killed_rollout_is_resumed(four: list[Target], command: Fleet) -> None:
    (command.folder / "mirrors.yaml").rename(command.folder / "m1.yaml")
    kill_a_rollout(four, command, "-m", "m1.yaml")

    ran = command("resume", "-y", "--json")
    again = command("resume", "-y", "--json")

    assert ran.code == 0, ran.text
    assert (again.code, again.json["nodes"]) == (0, {}), again.text
    assert "m1.yaml, with which the rollout began" in ran.stderr
    assert statuses(ran.json) == all_are(four, "converged")
    assert command("diff", "--exit-code", "-m", "m1.yaml").code == 0
    assert [target.name for target in four if target.held()] == []


def test_a_rollout_that_is_resumed_at_the_question_of_an_unlock_stays(
    four: list[Target], command: Fleet
) -> None:
    kill_a_rollout(four, command)
    user, terminal = pty.openpty()
    with os.fdopen(user, "wb", buffering=0) as keys:
        asking = command.start("unlock", "last", stdin=terminal)
        os.close(terminal)
        assert asking.stderr is not None
        while "[y/N]" not in (seen := os.read(asking.stderr.fileno(), 4096).decode()):
            assert seen, asking.communicate()
        resumed = command("resume", "-y", "--json")
        keys.write(b"y\n")
        _, complaint = asking.communicate(timeout=60)

    assert statuses(resumed.json) == all_are(four, "converged")
    assert (asking.returncode, "since the question" in complaint) == (3, True), complaint
    assert command("diff", "--exit-code").code == 0


@pytest.fixture
def ill(four: list[Target]) -> Iterator[Target]:
    """Return the last node, on which the restart of the rollout leaves the unit stopped."""
    stopped = '"$real" "$@"; "$real" stop containerd; exit 0'
    with four[-1].acting("systemctl", "restart*", stopped):
        yield four[-1]


def test_a_spent_budget_reverts_all_nodes(four: list[Target], ill: Target, command: Fleet) -> None:
    before = etc(four)

    ran = command(
        *("rollout", "-y", "--batch", "2", "--on-failure", "rollback-all"),
        *("--health-timeout", "1", *QUICK),
    )

    assert ran.code == 3, ran.text
    assert statuses(ran.json) == all_are(four, "rolled_back")
    assert ran.json["nodes"][ill.name]["failure"]["kind"] == "health"
    assert etc(four) == before
    assert [target.name for target in four if target.held()] == []


def test_a_halted_rollout_leaves_the_batches_to_come_alone(
    four: list[Target], command: Fleet
) -> None:
    first, *others = four
    first.staged(rollout="other")
    before = etc(others), pids(others)

    ran = command("rollout", "-y", "--batch", "1", *QUICK)

    assert ran.code == 3, ran.text
    assert ran.json["nodes"][first.name]["failure"]["kind"] == "locked"
    assert statuses(ran.json) == {**all_are(others, "pending"), first.name: "failed"}
    assert (etc(others), pids(others)) == before
    assert [target.name for target in others if target.held()] == []


AUDITED = "2026-01-01T10:00:0{}Z\\tactivate\\t{}\\t{}\\tswapped\\t{}\\t{}\\n"


def test_a_node_cannot_rewrite_what_the_others_have_recorded(
    four: list[Target], command: Fleet
) -> None:
    rollout = "20260101-100000-00aa"
    forged = "".join(
        (
            AUDITED.format(0, rollout, "eve@evil", "remove", "all gone"),
            AUDITED.format(1, "zzzz", "eve@evil", "remove", ""),
            AUDITED.format(1, "99991231-235959-ffff", "eve@evil", "remove", ""),
        )
    )
    honest = AUDITED.format(5, rollout, "me@here", "rollout", "OPS-1")
    for target, text in zip(four, (forged, honest, honest, honest), strict=True):
        target.machine.sh(
            "mkdir -p /var/lib/fleet && chmod 700 /var/lib/fleet &&"
            f" printf '{text}' >/var/lib/fleet/audit.log"
        )

    ran = command("history", "last", "--from-nodes", "--json")

    (read,) = ran.json["rollouts"]
    assert (read["rollout"], read["kind"], read["message"]) == (rollout, "rollout", "OPS-1")
    assert read["operators"] == ["me@here", "eve@evil"]
    evil = four[0].name
    assert read["differing"] == {evil: {"kind": "remove", "message": "all gone"}}
    assert ran.json["skipped_lines"] == {evil: 2}

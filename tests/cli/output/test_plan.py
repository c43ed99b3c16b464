"""Plans as text: nodes with equal diffs together, then a count and a legend."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from fleet.cli.options import Exit
from fleet.cli.output.plan import (
    closing_count,
    finding_style,
    legend,
    plan_exit_code,
    show_plans,
    symbol,
)
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.masking import stars
from fleet.core.model.change import Change, ManagedFile, RestartCost
from fleet.core.model.finding import Finding, FindingEffect
from fleet.core.model.node import Node
from fleet.core.model.node_state import NodeState
from fleet.core.plan.node_plan import (
    Availability,
    DaemonAccess,
    NodePlan,
    PlannedPulls,
    PlannedRestart,
)
from tests.support.settings import JSON, TEXT

NEW = Change("/etc/a", None, ManagedFile(b"new\n"))
EDIT = Change("/etc/b", ManagedFile(b"old\n"), ManagedFile(b"new\n"))
GONE = Change("/etc/c", ManagedFile(b"old\n"), None)
RESTART = PlannedRestart(cost=RestartCost.RESTART)
LOST = Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "try again")
ODD = Failure(
    FailureKind.CONFLICT, Step.PLAN, "two files decide", "try again", evidence="line 1\nline 2"
)


def plan(name: str, *changes: Change, **fields: Any) -> NodePlan:
    about = {"strategy": "certs.d", "containerd": "1.7.24"}
    return NodePlan(node=Node(name=name, host=name), changes=changes, **{**about, **fields})


def shown(capsys: pytest.CaptureFixture[str], *plans: NodePlan) -> list[str]:
    show_plans(plans, TEXT, stars)
    return capsys.readouterr().out.splitlines()


def test_nodes_with_equal_diffs_share_a_group(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, plan("w1", EDIT), plan("w2"), plan("w3", EDIT))

    assert lines[0] == "/etc/b: file changed \u00b7 2 nodes"
    assert lines[1] == "~ w[1,3] (2)  1.7.24  certs.d  no restart  +0 ~1 -0"
    assert "    -old" in lines
    assert "    +new" in lines
    assert "= w2 (1)  1.7.24  certs.d  no change" in lines


def test_a_similar_diff_is_shown_as_the_difference(capsys: pytest.CaptureFixture[str]) -> None:
    long = "".join(f"line {number}\n" for number in range(20))
    first = [Change(path, None, ManagedFile(long.encode())) for path in ("/etc/x", "/etc/y")]
    second = [
        Change(path, None, ManagedFile(f"{long}more\n".encode())) for path in ("/etc/x", "/etc/y")
    ]
    third = [Change("/etc/x", None, ManagedFile(b"all other\n" * 9)), first[1]]

    lines = shown(capsys, plan("w1", *first), plan("w2", *second), plan("w3", *third))

    start = next(number for number, line in enumerate(lines) if line.startswith("~ w2"))
    assert lines[start + 1 : start + 4] == [
        "    as w1, but in",
        "    2 files:",
        "      with +more",
    ]
    assert lines[start + 4].startswith("~ w3")
    assert sum("+line 7" in line for line in lines) == 2


def test_files_with_the_same_changed_lines_are_shown_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    changes = [
        Change(path, ManagedFile(f"{path}\na\n".encode()), ManagedFile(f"{path}\nb\n".encode()))
        for path in ("/etc/x", "/etc/y", "/etc/z")
    ]

    lines = shown(capsys, plan("w1", *changes, EDIT))

    assert lines.count("    -a") == 1
    assert "    the same lines in 2 more files: /etc/y, /etc/z" in lines
    assert "    -old" in lines


def test_stat_leaves_the_diffs_out(capsys: pytest.CaptureFixture[str]) -> None:
    show_plans([plan("w1", EDIT), plan("w2"), plan("w3", failure=LOST)], TEXT, stars, stat=True)

    assert capsys.readouterr().out.splitlines() == [
        "/etc/b: file changed \u00b7 1 node",
        "? w3 (1)  1.7.24  certs.d",
        "    timed out",
        "      remedy: try again",
        "Plan: 1 node to change, 1 unchanged, 1 unreachable. containerd restarts on none."
        " 1 file updated.",
    ]


PARTED = {
    "other changes": plan("w2", NEW),
    "another cost": plan("w2", EDIT, restart=RESTART),
    "a note": plan("w2", EDIT, notes=("look here",)),
    "a finding": plan(
        "w2", EDIT, findings=(Finding("odd", FindingEffect.NOTES, "/etc/x:1", "an odd key"),)
    ),
    "another strategy": plan("w2", EDIT, strategy="legacy"),
    "the control plane": plan("w2", EDIT, availability=Availability(control_plane=("etcd",))),
}


@pytest.mark.parametrize("other", PARTED.values(), ids=PARTED)
def test_nodes_that_differ_in_any_way_are_parted(
    capsys: pytest.CaptureFixture[str], other: NodePlan
) -> None:
    lines = shown(capsys, plan("w1", EDIT), other)

    assert sum(line.startswith("~ w") for line in lines) == 2


def test_another_release_alone_does_not_part_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    (line, *_) = shown(capsys, plan("w1", containerd="1.7.1"), plan("w2", containerd=None))

    assert line == "= w[1-2] (2)  1.7.1, containerd unknown  certs.d  no change"


def test_a_failure_has_its_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, plan("w1", failure=ODD, strategy=None))

    assert lines[0] == "! w1 (1)  1.7.24  no strategy"
    assert lines[1].startswith("    two files decide")
    assert [line for line in lines if "|" in line] == ["      | line 1", "      | line 2"]


def test_notes_and_findings_stand_below_their_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, plan("w1", notes=("look\x1b here",)))

    assert lines[1] == r"    note: look\x1b here"


def test_a_control_plane_node_is_named_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    availability = Availability(control_plane=("etcd", "apiserver"))

    (line, *_) = shown(capsys, plan("w1", availability=availability))

    assert line.endswith("control plane (etcd, apiserver)  no change")


def test_registries_without_a_pull_are_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    pulls = PlannedPulls(unproven=("quay.io", "ghcr.io"))

    lines = shown(capsys, plan("w1", pulls=pulls), plan("w2", pulls=pulls))

    assert sum("quay.io, ghcr.io" in line for line in lines) == 1


SYMBOLS = {
    "~": plan("w1", EDIT),
    "=": plan("w1"),
    "?": plan("w1", failure=LOST),
    "!": plan("w1", EDIT, failure=ODD),
}


@pytest.mark.parametrize(("sign", "node"), SYMBOLS.items())
def test_every_plan_has_a_symbol_and_the_legend_explains_it(sign: str, node: NodePlan) -> None:
    assert symbol(node) == sign
    assert legend([node]).startswith(f"{sign} ")


@pytest.mark.parametrize(
    ("plans", "changes", "code"),
    [
        ([plan("w1")], Exit.DIFFERENT, Exit.OK),
        ([plan("w1", EDIT)], Exit.DIFFERENT, Exit.DIFFERENT),
        ([plan("w1", EDIT)], Exit.OK, Exit.OK),
        ([plan("w1", EDIT), plan("w2", failure=LOST)], Exit.DIFFERENT, Exit.FAILED),
        ([], Exit.DIFFERENT, Exit.OK),
    ],
)
def test_the_exit_code_of_plans(plans: list[NodePlan], changes: Exit, code: Exit) -> None:
    assert plan_exit_code(plans, changes) is code


def test_the_closing_count_adds_up() -> None:
    plans = [
        plan("w1", NEW, EDIT, restart=RESTART),
        plan("w2", GONE),
        plan("w3"),
        plan("w4", EDIT, failure=LOST),
    ]

    assert closing_count(plans) == (
        "Plan: 2 nodes to change, 1 unchanged, 1 unreachable. containerd restarts on 1."
        " 1 file created, 1 file updated, 1 file deleted."
    )


def test_a_plan_without_changes_has_a_count_of_its_own() -> None:
    assert closing_count([plan("w1"), plan("w2")]) == "No changes: 2 nodes match mirrors.yaml."
    assert closing_count([plan("w1")]) == "No changes: 1 node matches mirrors.yaml."
    assert closing_count([plan("w1", failure=LOST)]) == "Plan: 0 nodes to change, 1 unreachable."
    assert closing_count([plan("w1", EDIT), plan("w2", EDIT)]) == (
        "Plan: 2 nodes to change. containerd restarts on none. 2 files updated."
    )


def test_an_unhealthy_node_without_changes_is_shown_as_such(
    capsys: pytest.CaptureFixture[str],
) -> None:
    daemon = DaemonAccess(unit="k3s", unhealthy="k3s is inactive/dead")
    down = plan("w2", daemon=daemon, state=NodeState.UNHEALTHY)

    assert shown(capsys, plan("w1"), down, plan("w3", daemon=daemon))[:6] == [
        "= w[1,3] (2)  1.7.24  certs.d  no change",
        "= w2 (1)  1.7.24  certs.d  no change, but unhealthy",
        "    k3s is inactive/dead",
        "      remedy: look at `journalctl -u k3s` on the node",
        "No changes: 3 nodes match mirrors.yaml; 1 of them unhealthy.",
        "= stays as it is",
    ]


def test_nodes_with_the_same_failure_share_it(capsys: pytest.CaptureFixture[str]) -> None:
    lost = [
        plan(f"w{number}", failure=replace(LOST, address=f"a@n:{number}"), strategy=None)
        for number in (1, 2, 3)
    ]

    lines = shown(capsys, *lost)

    assert next(line for line in lines if "w" in line).startswith("? w[1-3] (3)")
    assert sum(LOST.message in line for line in lines) == 1


@pytest.mark.parametrize("effect", FindingEffect)
def test_a_finding_that_refuses_the_plan_is_red(effect: FindingEffect) -> None:
    refuses = effect is FindingEffect.REFUSES

    finding = Finding("odd", effect, "/etc/x:1", "an odd key")

    assert finding_style(finding) == ("red" if refuses else "yellow")
    assert finding_style(replace(finding, stops_cri=True)) == "red"


def test_plans_are_data_by_node(capsys: pytest.CaptureFixture[str]) -> None:
    show_plans([plan("w1", EDIT), plan("w2", failure=LOST)], JSON, stars)

    nodes = json.loads(capsys.readouterr().out)["nodes"]
    assert list(nodes) == ["w1", "w2"]
    assert nodes["w2"]["failure"]["kind"] == "connect"

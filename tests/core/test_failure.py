"""Failures: every kind is made with a message and with a remedy, which are plain."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

import fleet
from fleet.core.containerd.config import parse_config
from fleet.core.failure import Failure, FailureKind, NodeError, Step, reported_failure
from fleet.core.kubernetes.drain import Pod, timeout_failure
from fleet.core.kubernetes.match import match_nodes
from fleet.core.model.change import RestartCost
from fleet.core.model.generation import Generation
from fleet.core.model.health import refuse_unhealthy
from fleet.core.model.node import Node
from fleet.core.model.outcome import Verified
from fleet.core.plan.restart_risk import restart_risk
from fleet.core.plan.rollback import plan_rollback
from fleet.engine.bugs import bug
from fleet.engine.workers.base import lost_worker_failure
from fleet.node.change_status import ChangeState, ChangeStatus, RevertReason, SettleEnding
from fleet.node.converge import report_undo
from fleet.node.login_failures import not_started
from fleet.node.revert import SPENT
from fleet.node.script import parse_reply, protocol_error
from fleet.node.stage import refuse_ineffective
from fleet.node.verify.evidence import refuse_unverified
from fleet.ssh.known_hosts import ShownKey, refuse_unless_known
from fleet.ssh.route import Hop, SshSettings
from fleet.ssh.transport import convert_errors
from tests.node.record import ANSWERS
from tests.node.test_probe import facts_of
from tests.node.test_script_failures import everything as script_failures
from tests.node.test_stage import PLANNED

HOP = Hop(host="h", port=22, user="u")
NODE = Node(name="a", host="a")
FACTS = facts_of((ANSWERS / "trixie.txt").read_text())
DOWN = replace(FACTS.daemon.unit, active="failed", sub="failed")
ILL = replace(FACTS, daemon=replace(FACTS.daemon, unit=DOWN))
FRAGILE = replace(FACTS.daemon.unit, kill_mode="control-group")
REVERTED = ChangeStatus(
    ending=SettleEnding.NOT_PENDING, state=ChangeState.RESTORED, reason=RevertReason.TIMER
)
BUSY = replace(FACTS, daemon=replace(FACTS.daemon, tasks=3, unit=FRAGILE))


def raised(work: Callable[[], object]) -> Failure:
    with pytest.raises(NodeError) as caught:
        work()
    return caught.value.failure


def unresolved() -> None:
    with convert_errors(HOP, SshSettings()):
        raise TimeoutError


def lost_worker() -> Failure | None:
    future: Future[None] = Future()
    future.set_exception(RuntimeError("killed"))
    return lost_worker_failure(future)


MADE: dict[FailureKind, Callable[[], Failure | None]] = {
    FailureKind.CONNECT: lambda: raised(unresolved),
    FailureKind.HOST_KEY: lambda: raised(
        lambda: refuse_unless_known(ShownKey("ssh-ed25519", b"k"), ("a",), (), ())
    ),
    FailureKind.AUTH: lambda: not_started(Step.PROBE, 1, "", begun=False).failure,
    FailureKind.TIMEOUT: lambda: raised(lambda: parse_reply(Step.STAGE, 124, "hello\t=0\n", "")),
    FailureKind.SUDO: lambda: not_started(Step.PROBE, 1, "", begun=True).failure,
    FailureKind.PROTOCOL: lambda: protocol_error("nothing").failure,
    FailureKind.UNSUPPORTED: lambda: raised(
        lambda: parse_reply(Step.STAGE, 2, "", "sh: 1: Cannot fork")
    ),
    FailureKind.CONFLICT: lambda: raised(lambda: parse_config("[[[", "/config.toml")),
    FailureKind.VALIDATE: lambda: raised(lambda: refuse_ineffective(PLANNED, "[[")),
    FailureKind.HEALTH: lambda: raised(lambda: refuse_unhealthy(ILL, RestartCost.NONE)),
    FailureKind.VERIFY: lambda: raised(lambda: refuse_unverified([Verified("i", False, "cri")])),
    FailureKind.GUARD: lambda: report_undo(REVERTED),
    FailureKind.BUDGET: lambda: SPENT,
    FailureKind.WORKLOADS: lambda: restart_risk(BUSY, RestartCost.RESTART),
    FailureKind.DRAIN: lambda: timeout_failure(60, {}, [Pod(namespace="a", name="b", uid="c")]),
    FailureKind.NO_GENERATION: lambda: (
        plan_rollback(
            NODE, replace(FACTS, generations=(Generation("g1", (), damage="seal"),))
        ).failure
    ),
    FailureKind.CLUSTER: lambda: match_nodes([NODE], []).failures["a"],
    FailureKind.WORKER: lost_worker,
    FailureKind.BUG: lambda: bug(ZeroDivisionError("x"), "a"),
}
"""A way to make a failure of each kind that Python makes. The node scripts make the other kinds."""
OLD = {FailureKind.REVERT}
"""Kinds that only journals of older releases hold."""


@pytest.mark.parametrize("kind", MADE)
def test_a_failure_of_each_kind_has_a_message_and_a_remedy(kind: FailureKind) -> None:
    failure = MADE[kind]()

    assert failure is not None
    assert failure.kind is kind
    assert failure.message
    assert failure.remedy
    assert not failure.message.endswith((".", ";"))
    assert failure.remedy[0].islower() or failure.remedy[0] == "`"
    assert not failure.remedy.endswith(".")


def test_every_kind_is_made_by_python_or_by_a_script() -> None:
    scripted = {
        FailureKind(failure.kind) for failure in script_failures() if "$" not in failure.kind
    }

    assert MADE.keys() | scripted | OLD == set(FailureKind)
    assert OLD.isdisjoint(MADE.keys() | scripted)


def test_a_node_error_carries_its_failure() -> None:
    error = NodeError(FailureKind.SUDO, Step.STAGE, "no sudo", "use -K", "asks")

    assert (error.failure.kind, error.failure.step) == (FailureKind.SUDO, "stage")
    assert (error.failure.message, error.failure.remedy) == ("no sudo", "use -K")
    assert error.failure.evidence == "asks"


def test_the_text_of_an_error_is_its_message() -> None:
    assert str(NodeError(FailureKind.SUDO, Step.STAGE, "no sudo", "use -K")) == "no sudo"


def test_a_very_long_word_in_a_message_is_shortened() -> None:
    error = NodeError(FailureKind.SUDO, Step.STAGE, f"key {'x' * 5000} is odd", "use -K")

    assert len(error.failure.message) < 300
    assert error.failure.message.endswith("x is odd")


@pytest.mark.parametrize("kind", FailureKind)
def test_a_node_that_answers_without_access_is_not_unreachable(kind: FailureKind) -> None:
    without_access = {FailureKind.HOST_KEY, FailureKind.AUTH, FailureKind.SUDO}

    assert kind.unreachable is (kind is FailureKind.CONNECT)
    assert kind.no_access is (kind in without_access)


def test_a_reported_failure_has_the_step_that_was_reported() -> None:
    failure = reported_failure(FailureKind.HEALTH, "soak", "it fell", "restart it", "a log line")

    assert failure == Failure(FailureKind.HEALTH, Step.SOAK, "it fell", "restart it", "a log line")
    assert failure.step is Step.SOAK


@pytest.mark.parametrize(
    ("evidence", "kept"),
    [("", []), ("a log line", ["a log line"])],
    ids=["without evidence", "with evidence"],
)
def test_an_unknown_step_is_kept_in_the_evidence(evidence: str, kept: list[str]) -> None:
    failure = reported_failure(FailureKind.HEALTH, "dance", "it fell", "restart it", evidence)

    assert (failure.kind, failure.step) == (FailureKind.HEALTH, Step.READ)
    assert failure.evidence.splitlines() == [
        *kept,
        "the step is unknown to this fleet: dance",
    ]


def test_every_step_that_no_script_reports_is_used() -> None:
    """tests/node/test_script_failures.py reads the others off the scripts."""
    root = Path(fleet.__file__).parent
    files = [path for path in root.rglob("*.py") if path != root / "core" / "failure.py"]

    used = {name for path in files for name in re.findall(r"\bStep\.([A-Z_]+)", path.read_text())}

    assert {step.name for step in Step if not step.reported} - used == set()
    assert used <= set(Step.__members__)

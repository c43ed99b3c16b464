"""The verification of a node as it is: its status, and no change of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.outcome import Liveness, LivenessState, NodeOutcome, NodeStatus
from fleet.core.plan.node_plan import DaemonAccess
from fleet.core.plan.pull_tests import PullTest
from fleet.node.verify.run import VerifyOrder, verify
from fleet.node.work_order import Access
from fleet.ssh import SshSettings
from tests.support.orders import plan_of
from tests.support.ssh_server import Answer, in_turn, ssh_server

TEST = PullTest("docker.io/lab/one:1", "docker.io", b"", mirrors=("a.test",))
PLAN = plan_of(strategy="certs.d", containerd="1.7.24", daemon=DaemonAccess(crictl=True))


def pulled(code: int) -> Answer:
    records = f"pull\t0\tcrictl\tno\t{code}\t1.0\t3.5\nliveness\t=live 0 1\n"
    return Answer(f"begun\t=plain\nhello\t=0\n{records}end\t\n")


def verified(folder: Path, answer: Answer) -> NodeOutcome:
    with ssh_server(folder, in_turn(answer)) as server:
        return verify(VerifyOrder(PLAN, Access(ssh=server.settings), (TEST,)))


ENDINGS = {
    "pulled": (pulled(0), NodeStatus.UNCHANGED, None),
    "not pulled": (pulled(1), NodeStatus.FAILED, FailureKind.VERIFY),
    "without sudo": (Answer("begun\t=plain\n", 78), NodeStatus.NO_ACCESS, FailureKind.SUDO),
    "lost": (Answer("begun\t=plain\n", None), NodeStatus.UNREACHABLE, FailureKind.CONNECT),
}


@pytest.mark.parametrize(("answer", "status", "kind"), ENDINGS.values(), ids=ENDINGS)
def test_a_node_ends_unchanged_or_with_a_failure(
    tmp_path: Path, answer: Answer, status: NodeStatus, kind: FailureKind | None
) -> None:
    outcome = verified(tmp_path, answer)

    assert outcome.status is status
    assert (outcome.failure.kind if outcome.failure else None) is kind
    assert (outcome.changed, outcome.restarted, outcome.generation) == (False, False, None)


@pytest.mark.parametrize("code", [0, 1])
def test_the_pulls_and_the_liveness_are_reported_in_any_case(tmp_path: Path, code: int) -> None:
    outcome = verified(tmp_path, pulled(code))

    assert [(pull.image, pull.ok, pull.seconds) for pull in outcome.verified] == [
        (TEST.image, code == 0, 2.5)
    ]
    assert outcome.liveness == Liveness(LivenessState.LIVE, 1.0)
    assert (outcome.node, outcome.strategy, outcome.containerd) == ("n1", "certs.d", "1.7.24")


def test_a_node_without_a_plan_is_not_asked(tmp_path: Path) -> None:
    failure = Failure(FailureKind.UNSUPPORTED, Step.PLAN, "no containerd", "install it")
    access = Access(ssh=SshSettings(str(tmp_path / "nowhere")))

    outcome = verify(VerifyOrder(plan_of(failure=failure), access, (TEST,)))

    assert (outcome.status, outcome.failure) == (NodeStatus.FAILED, failure)


def test_all_pulls_take_one_script(tmp_path: Path) -> None:
    with ssh_server(tmp_path, in_turn(pulled(0))) as server:
        verify(VerifyOrder(PLAN, Access(ssh=server.settings), (TEST, TEST)))

        assert len(server.inputs) == 1

"""Verification pulls within the limit of each mirror."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.core.model.outcome import Liveness, LivenessState
from fleet.core.plan.node_plan import DaemonAccess, PlannedConfig
from fleet.core.plan.pull_tests import PullTest
from fleet.node.script import Privilege
from fleet.node.verify.evidence import VerifyReply
from fleet.node.verify.pull import VerifyRequest, run_verification
from fleet.node.verify.pull_limiter import LIMITER
from fleet.node.work_order import Deadlines
from fleet.ssh import connect
from tests.support.orders import plan_of
from tests.support.ssh_server import Answer, in_turn, ssh_server

PLAN = plan_of(daemon=DaemonAccess(crictl=True))
ONE = PullTest("docker.io/lab/one:1", "docker.io", b"", mirrors=("a.test", "b.test"))
PULLED = Answer("begun\t=plain\nhello\t=0\npull\t0\tcrictl\tno\t0\t1.0\t2.0\nend\t\n")
NO_WAIT = Deadlines(pull=0, guard=0, per_mirror=1)


def verified(folder: Path, request: VerifyRequest) -> VerifyReply:
    with (
        ssh_server(folder, in_turn(PULLED)) as server,
        connect(server.node, server.settings) as remote,
    ):
        return run_verification(remote, request, Privilege())


HOSTS = {
    "the first mirror": ((ONE,), {"a.test"}),
    "the registry without mirrors": (
        (PullTest("quay.io/a:1", "quay.io", b"", upstream="up.test"),),
        {"up.test"},
    ),
    "its name without an upstream": ((PullTest("quay.io/a:1", "quay.io", b""),), {"quay.io"}),
    "each once": ((ONE, ONE), {"a.test"}),
    "none": ((), set()),
}


@pytest.mark.parametrize(("tests", "hosts"), HOSTS.values(), ids=HOSTS)
def test_the_hosts_that_are_asked_first_are_limited(
    tests: tuple[PullTest, ...], hosts: set[str]
) -> None:
    assert VerifyRequest(PLAN, tests, Deadlines()).hosts == hosts


@pytest.mark.parametrize(
    ("wanted", "known", "checked"),
    [(True, None, True), (False, None, False), (True, Liveness(LivenessState.LIVE), False)],
)
def test_liveness_is_checked_once(wanted: bool, known: Liveness | None, checked: bool) -> None:
    plan = plan_of(config=PlannedConfig(hosts_directory="/etc/certs.d"))

    script = VerifyRequest(plan, (), Deadlines(), wanted, known).script()

    assert (script.variables["LIVENESS"] == "/etc/certs.d") is checked


def test_pulls_that_have_their_turn_say_nothing_of_it(tmp_path: Path) -> None:
    (pull,) = verified(tmp_path, VerifyRequest(PLAN, (ONE,), NO_WAIT)).verified

    assert (pull.ok, "a.test had no free slot" in pull.detail) == (True, False)


def test_pulls_out_of_turn_say_so(tmp_path: Path) -> None:
    with LIMITER.acquire({"a.test"}, most=1, patience=0, name="other"):
        (pull,) = verified(tmp_path, VerifyRequest(PLAN, (ONE,), NO_WAIT)).verified

    assert pull.ok
    assert "a.test" in pull.detail
    assert "--per-mirror" in pull.detail


def test_a_turn_is_given_back_at_the_end(tmp_path: Path) -> None:
    verified(tmp_path, VerifyRequest(PLAN, (ONE,), NO_WAIT))

    with LIMITER.acquire({"a.test"}, most=1, patience=0, name="next") as late:
        assert late == ()

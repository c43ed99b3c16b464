"""Verification pulls within the limit of each mirror."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fleet.core.kubernetes.pull_pod import PodPull
from fleet.core.model.outcome import Liveness, LivenessState, PullClient
from fleet.core.plan.node_plan import DaemonAccess, PlannedConfig
from fleet.core.plan.pull_tests import PullTest
from fleet.node.script import Privilege
from fleet.node.verify.evidence import VerifyReply
from fleet.node.verify.pull import VerifyRequest, run_verification
from fleet.node.verify.pull_limiter import LIMITER
from fleet.node.work_order import Deadlines
from fleet.ssh import connect
from tests.support.orders import plan_of
from tests.support.server import Command, served
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


@dataclass
class Kubelet:
    """A kubelet whose pulls end as they are told, one by one."""

    results: list[PodPull]
    asked: list[tuple[str, int]] = field(default_factory=list)

    def pull(self, image: str, seconds: int) -> PodPull:
        self.asked.append((image, seconds))
        return self.results.pop(0)


def waiting_script(replies: list[str], before: str, after: str) -> Command:
    """Return a script that waits for fleet as often as there are replies, and keeps them."""

    def run(channel: object) -> int:
        channel.sendall(f"begun\t=plain\nhello\t=0\n{before}ready\t\n".encode())  # type: ignore[attr-defined]
        text = b""
        while not text.endswith(f"\n{replies[0]}\n".encode()):
            text += channel.recv(4096)  # type: ignore[attr-defined]
        for reply in replies[1:]:
            channel.sendall(b"ready\t\n")  # type: ignore[attr-defined]
            assert channel.recv(4096) == f"{reply}\n".encode()  # type: ignore[attr-defined]
        channel.sendall(f"{after}end\t\n".encode())  # type: ignore[attr-defined]
        return 0

    return run


def test_kubelet_pulls_while_the_script_waits() -> None:
    kubelet = Kubelet([PodPull(pulled=True), PodPull(pulled=False, message="ErrImagePull: gone")])
    two = PullTest("docker.io/lab/two:1", "docker.io", b"", mirrors=("a.test",))
    request = VerifyRequest(PLAN, (ONE, two), Deadlines(pull=90), pods=kubelet)

    with served(waiting_script(["pulled", ""], "", "")) as remote:
        reply = run_verification(remote, request, Privilege())

    assert kubelet.asked == [("docker.io/lab/one:1", 90), ("docker.io/lab/two:1", 90)]
    assert [(pull.ok, pull.via) for pull in reply.verified] == [
        (True, PullClient.KUBELET),
        (False, PullClient.KUBELET),
    ]
    assert reply.verified[1].detail == "ErrImagePull: gone"


def test_kubelet_is_asked_for_the_liveness_on_a_node_without_crictl() -> None:
    probe = "Head http://127.0.0.1:1/v2/fleet/manifests/probe: connection refused"
    kubelet = Kubelet([PodPull(pulled=False, message=probe)])
    plan = plan_of(config=PlannedConfig(hosts_directory="/etc/certs.d"))
    request = VerifyRequest(plan, (), Deadlines(), pods=kubelet)

    with served(waiting_script([""], "probe\t=7.fleet-probe.invalid\n", "")) as remote:
        reply = run_verification(remote, request, Privilege())

    assert kubelet.asked == [("7.fleet-probe.invalid/fleet:probe", 10)]
    assert reply.liveness is not None
    assert reply.liveness.state is LivenessState.LIVE


def test_crictl_is_asked_for_the_liveness_where_it_is() -> None:
    plan = plan_of(
        daemon=DaemonAccess(crictl=True), config=PlannedConfig(hosts_directory="/etc/certs.d")
    )
    kubelet = Kubelet([PodPull(pulled=True)])
    request = VerifyRequest(plan, (ONE,), Deadlines(), pods=kubelet)

    with served(waiting_script(["pulled"], "liveness\t=live 1.0 1.5\n", "")) as remote:
        reply = run_verification(remote, request, Privilege())

    assert kubelet.asked == [("docker.io/lab/one:1", 120)]
    assert reply.liveness == Liveness(LivenessState.LIVE, 0.5, "")

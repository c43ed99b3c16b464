"""Verification pulls by the best client of a node: crictl, CRI over SSH, or ctr alone.

On request kubelet pulls, for a pod that another part of fleet creates.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.kubernetes.pull_pod import PodPull
from fleet.core.masking.shown_text import tail
from fleet.core.model.outcome import Liveness, LivenessState, PullClient
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.pull_tests import PullTest
from fleet.node.cri import client as cri
from fleet.node.cri.session import cri_session, last_value
from fleet.node.run_script import run_script
from fleet.node.script import Privilege, Reply, Script, parse_reply
from fleet.node.verify.evidence import (
    Pull,
    VerifyReply,
    evaluate,
    parse_verify_reply,
    verify_script,
)
from fleet.node.verify.liveness import parse_liveness
from fleet.node.verify.pull_limiter import LIMITER
from fleet.node.work_order import Deadlines
from fleet.ssh import Remote
from fleet.ssh.dialogue import InteractiveCommand

_PROBE = "//127.0.0.1:1/"


_ID = re.compile("sha256:[0-9a-f]{64}|pulled")


_NET = 15


POD_SECONDS = 90
"""Seconds that a pod may need besides its pull: until kubelet begins, and for its deletion."""


class PodPuller(Protocol):
    """Makes the kubelet of one node pull images for pods."""

    def pull(self, image: str, seconds: int) -> PodPull:
        """Pull an image, for at most so many seconds; raise a NodeError if the API refuses."""
        ...


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """A request to verify a node: the pulls, and whether to check the daemon's liveness.

    `known` is the liveness found before, if any; it is then not checked again. With `pods` kubelet
    pulls.
    """

    plan: NodePlan
    tests: tuple[PullTest, ...]
    deadlines: Deadlines
    liveness: bool = True
    known: Liveness | None = None
    pods: PodPuller | None = None

    @property
    def hosts(self) -> frozenset[str]:
        """Return the hosts that are asked first, as requests name them."""
        first_hosts = ((*test.mirrors, test.upstream or test.registry)[0] for test in self.tests)
        return frozenset(first_hosts)

    def script(self, via: PullClient | None = None) -> Script:
        """Return the script that runs on the node."""
        check = self.liveness and self.known is None
        return verify_script(self.plan, self.deadlines, tests=self.tests, liveness=check, via=via)


def run_verification(remote: Remote, request: VerifyRequest, privilege: Privilege) -> VerifyReply:
    """Pull every test image within the limit per mirror; raise a NodeError if no pull could run."""
    deadlines = request.deadlines
    name = request.plan.node.name
    with LIMITER.acquire(
        request.hosts, most=deadlines.per_mirror, patience=deadlines.pull_wait, name=name
    ) as late:
        reply = _verify_by_best_client(remote, request, privilege)
    if not late:
        return reply
    names, seconds = ", ".join(late), f"{deadlines.pull_wait:g} s"
    note = f"pulled beyond the limit: {names} had no free slot within {seconds} (--per-mirror)"
    results = (
        replace(result, detail=f"{result.detail}; {note}".lstrip("; ")) for result in reply.verified
    )
    return replace(reply, verified=tuple(results))


def _verify_by_best_client(
    remote: Remote, request: VerifyRequest, privilege: Privilege
) -> VerifyReply:
    """Verify by the best client that there is."""
    if request.pods is not None:
        return _verify_by_pods(remote, request, privilege, request.pods)
    note = ""
    if not request.plan.daemon.crictl and cri.available():
        try:
            return _verify_by_cri(remote, request, privilege)
        except NodeError as error:
            if error.failure.kind is not FailureKind.UNSUPPORTED:
                raise
            note = f": {error.failure.message}"
    elif not request.plan.daemon.crictl:
        note = "; for CRI, install crictl on the node, or fleet with the extra cri here"
    reply = parse_verify_reply(
        run_script(remote, request.script(), privilege), request.plan, request.tests, request.known
    )
    results = (replace(result, evidence=f"{result.evidence}{note}") for result in reply.verified)
    return replace(reply, verified=tuple(results))


def _verify_by_cri(remote: Remote, request: VerifyRequest, privilege: Privilege) -> VerifyReply:
    """Pull by CRI over the connection, while the node's script does what needs root in between."""
    script = request.script(PullClient.CRI)
    seconds = script.seconds + _NET
    with (
        remote.run_interactive(
            script.command_line(privilege), script.stdin(privilege), seconds
        ) as command,
        cri_session(remote, privilege, request.plan.daemon.socket, seconds) as relay,
    ):
        if not command.wait_for("ready\t"):
            return parse_verify_reply(
                _read_reply(command), request.plan, request.tests, request.known
            )
        with relay.client() as client:
            pulls = _Dialogue(command, request, PullClient.CRI, partial(_pull_by_cri, client))
            observed = pulls.pull_all(check=bool(script.variables["LIVENESS"]))
        reply = _read_reply(command)
    return evaluate(reply, request.plan, request.tests, observed)


def _verify_by_pods(
    remote: Remote, request: VerifyRequest, privilege: Privilege, pods: PodPuller
) -> VerifyReply:
    """Pull by pods, while the node's script does what needs root in between.

    crictl checks the liveness if the node has it: that takes no further pod.
    """
    script = request.script(PullClient.KUBELET)
    seconds = script.seconds + len(request.tests) * POD_SECONDS + _NET
    with remote.run_interactive(
        script.command_line(privilege), script.stdin(privilege), seconds
    ) as command:
        if not command.wait_for("ready\t"):
            return parse_verify_reply(
                _read_reply(command), request.plan, request.tests, request.known
            )
        pulls = _Dialogue(command, request, PullClient.KUBELET, partial(_pull_by_pod, pods))
        check = bool(script.variables["LIVENESS"]) and not request.plan.daemon.crictl
        liveness, pulled = pulls.pull_all(check=check)
        reply = _read_reply(command)
    seen = parse_liveness(reply) or liveness, pulled
    return evaluate(reply, request.plan, request.tests, seen)


def _read_reply(command: InteractiveCommand) -> Reply:
    return parse_reply(Step.VERIFY, *command.finish())


@dataclass(frozen=True, slots=True)
class _PullResult:
    """The result of a pull: the exit code of a shell, the error, and CRI's id of the image."""

    code: int
    output: str
    image_id: str = ""


def _pull_by_cri(client: cri.CriClient, image: str, seconds: int) -> _PullResult:
    try:
        return _PullResult(0, "", client.pull(image, seconds))
    except cri.CriError as error:
        return _PullResult(124 if error.code == "DEADLINE_EXCEEDED" else 1, str(error))


def _pull_by_pod(pods: PodPuller, image: str, seconds: int) -> _PullResult:
    result = pods.pull(image, seconds)
    if result.pulled:
        return _PullResult(0, "", "pulled")
    return _PullResult(1, result.message)


@dataclass(slots=True)
class _Dialogue:
    """The workstation's part of the dialogue with the node's script, pull by pull."""

    command: InteractiveCommand
    request: VerifyRequest
    via: PullClient
    pull: Callable[[str, int], _PullResult]

    def pull_all(self, *, check: bool) -> tuple[Liveness | None, tuple[Pull, ...]]:
        liveness = self._liveness() if check else self.request.known
        pulls = tuple(self._pull(test.image, last=n) for n, test in enumerate(self.request.tests))
        return liveness, pulls

    def _continue(self) -> None:
        self.command.send_line()
        self.command.wait_for("ready\t")

    def _liveness(self) -> Liveness:
        name = last_value(self.command, "probe")
        began = time.monotonic()
        words = self.pull(f"{name}/fleet:probe", 10).output if name else ""
        seconds = round(time.monotonic() - began, 2)
        state = LivenessState.NOT_READING if name else LivenessState.UNCHECKED
        state = LivenessState.LIVE if _PROBE in words else state
        self._continue()
        if last_value(self.command, "swept"):
            state = LivenessState.UNCHECKED
        return Liveness(state, seconds, tail(words.rpartition("failed to do request: ")[2], 1))

    def _pull(self, image: str, *, last: int) -> Pull:
        """Pull, and send CRI's name to the script, which knows whether the image was there."""
        began = time.monotonic()
        result = self.pull(image, self.request.deadlines.pull)
        seconds = round(time.monotonic() - began, 2)
        self.command.send_line(result.image_id if _ID.fullmatch(result.image_id) else "")
        if last + 1 < len(self.request.tests):
            self.command.wait_for("ready\t")
        code, output = result.code, result.output
        return Pull(image, self.via, present=False, code=code, seconds=seconds, output=output)

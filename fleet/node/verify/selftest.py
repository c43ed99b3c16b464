"""The self-test of a node: a pull through CRI of an image that this workstation serves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field

from fleet.core.failure import Failure, FailureKind, NodeError, Step
from fleet.core.masking.shown_text import tail
from fleet.core.model.facts import NodeFacts
from fleet.core.model.node import Node
from fleet.core.model.outcome import (
    NodeOutcome,
    NodeStatus,
    PullClient,
    Verified,
    unworked_status,
)
from fleet.core.plan.hosts_directory import HostsDirectory, active_hosts_directory
from fleet.core.text.counts import counted
from fleet.core.verify.tiny_registry import TinyRegistry, digest, tiny_registry
from fleet.node.cri import client as cri
from fleet.node.cri.session import cri_session, last_value
from fleet.node.probe import parse_probe, question
from fleet.node.run_script import run_script
from fleet.node.script import Privilege, Reply, Script, exit_code, parse_reply, timestamp
from fleet.node.verify.evidence import Pull
from fleet.node.work_order import Access
from fleet.ssh import Remote, connect
from fleet.ssh.dialogue import InteractiveCommand
from fleet.ssh.forward.reverse import Service

_NET = 15


_REST = 40
"""Seconds for the work before and after the pull."""


_SERVED_BY = "this workstation"


@dataclass(frozen=True, slots=True)
class SelfTestOrder:
    """The order to test one node; `nonce` makes its image unique, `seconds` limits its pull."""

    node: Node
    access: Access
    nonce: str
    seconds: int


@dataclass(slots=True)
class _Recorder:
    """The registry, with the number of its requests and the layers that were requested."""

    registry: TinyRegistry
    requests: int = 0
    blobs: set[bytes] = field(default_factory=set)

    def answer(self, request: bytes) -> bytes | None:
        response = self.registry.answer(request)
        if response is not None:
            self.requests += 1
            path = request.partition(b"?")[0].partition(b" HTTP")[0]
            self.blobs |= {path} if b"/blobs/" in path else set()
        return response


def self_test(order: SelfTestOrder) -> NodeOutcome:
    """Probe a node and pull the tiny image there, over one connection; change nothing."""
    began = time.monotonic()
    facts, verified, failure = NodeFacts(), None, None
    try:
        with connect(order.node, order.access.ssh) as remote:
            privilege = order.access.for_node(order.node)
            facts = parse_probe(run_script(remote, question(order.node), privilege))
            verified = _run_pull(remote, order, facts, privilege)
            failure = _failure(verified)
    except NodeError as error:
        failure = error.failure
    status = NodeStatus.UNCHANGED
    if failure is not None:
        status = unworked_status(failure.kind)
    return NodeOutcome(
        node=order.node.name,
        status=status,
        containerd=str(facts.daemon.version) if facts.daemon.version else None,
        verified=(verified,) if verified else (),
        failure=failure,
        seconds=round(time.monotonic() - began, 2),
    )


def _failure(verified: Verified) -> Failure | None:
    if verified.ok:
        return None
    message = "the node could not pull from this workstation"
    remedy = (
        "check that CRI is healthy (`fleet probe`), and that containerd there uses no proxy for"
        " 127.0.0.1 (NO_PROXY)"
    )
    return Failure(FailureKind.VERIFY, Step.SELFTEST, message, remedy, verified.detail)


@dataclass(frozen=True, slots=True)
class _PullRun:
    """One node's script, and the image that is served to it."""

    remote: Remote
    order: SelfTestOrder
    privilege: Privilege
    service: Service
    variables: Mapping[str, str]

    def pulled(self, *, crictl: bool, directory: HostsDirectory) -> Pull:
        """Pull by the best client that there is: crictl, CRI over SSH, or ctr alone."""
        if not (directory.folder or directory.direct):
            return self._by_script(PullClient.CTR)
        if crictl:
            return self._by_script(PullClient.CRICTL)
        if not cri.available():
            return self._by_script(PullClient.CTR)
        try:
            return self._by_cri()
        except NodeError as error:
            if error.failure.kind is not FailureKind.UNSUPPORTED:
                raise
        return self._by_script(PullClient.CTR)

    def _by_script(self, via: PullClient) -> Pull:
        with self._start_script(via) as command:
            reply = self._read_reply(command)
        return _read_pull(reply, via)

    def _by_cri(self) -> Pull:
        socket, seconds = self.variables["SOCKET"], self.order.seconds + _REST
        with (
            self._start_script(PullClient.CRI) as command,
            cri_session(self.remote, self.privilege, socket, seconds) as relay,
        ):
            if not command.wait_for("ready\t"):
                return _read_pull(self._read_reply(command), PullClient.CRI)
            with relay.client(lambda: self.service.pump(0)) as client:
                pull = self._pull_by_client(client, last_value(command, "image"))
            command.send_line()
            self._read_reply(command)
        return pull

    def _pull_by_client(self, client: cri.CriClient, image: str) -> Pull:
        began = time.monotonic()
        code, words = 0, ""
        try:
            client.pull(image, self.order.seconds)
        except cri.CriError as error:
            code, words = (124 if error.code == "DEADLINE_EXCEEDED" else 1), str(error)
        seconds = round(time.monotonic() - began, 2)
        with suppress(cri.CriError):  # the script removes what remains
            client.remove(image)
        return Pull(image, PullClient.CRI, present=False, code=code, seconds=seconds, output=words)

    def _start_script(self, via: PullClient) -> AbstractContextManager[InteractiveCommand]:
        seconds = self.order.seconds + _REST
        script = Script(Step.SELFTEST, {**self.variables, "VIA": str(via)}, seconds)
        line, stdin = script.command_line(self.privilege), script.stdin(self.privilege)
        return self.remote.run_interactive(line, stdin, seconds + _NET)

    def _read_reply(self, command: InteractiveCommand) -> Reply:
        return parse_reply(Step.SELFTEST, *command.finish(self.service.pump))


def _read_pull(reply: Reply, via: PullClient) -> Pull:
    """Read the result of the script's own pull."""
    begin, _, end = reply.value("times").partition(" ")
    return Pull(
        image=reply.value("image"),
        via=via,
        present=False,
        code=exit_code(reply.value("code")),
        seconds=round(timestamp(end or "0") - timestamp(begin or "0"), 2),
        output=reply.value("output"),
    )


def _run_pull(
    remote: Remote, order: SelfTestOrder, facts: NodeFacts, privilege: Privilege
) -> Verified:
    directory = active_hosts_directory(facts)
    recorder = _Recorder(tiny_registry(order.nonce))
    # There are two scripts if the first finds that CRI cannot be reached.
    seconds = 2 * (order.seconds + _REST + _NET)
    with remote.serve_http(recorder.answer, seconds) as service:
        variables = {
            "LIVENESS": directory.folder or "",
            "PORT": str(service.port),
            "TAG": order.nonce,
            "DIGEST": digest(recorder.registry.manifest),
            "SOCKET": facts.daemon.socket,
            "TOOLS": facts.daemon.rancher.tools,
            "PULL_SECONDS": str(order.seconds),
        }
        run = _PullRun(remote, order, privilege, service, variables)
        pull = run.pulled(crictl=facts.cri.crictl_answers, directory=directory)
    return _pull_result(pull, recorder, directory)


def _pull_result(pull: Pull, recorder: _Recorder, directory: HostsDirectory) -> Verified:
    good = pull.code == 0 and len(recorder.blobs) == len(recorder.registry.blobs)
    if good:
        detail = _describe_proof(directory, by_cri=pull.via is not PullClient.CTR)
    else:
        timeout = "timed out; " if pull.code == 124 else ""
        received = counted(recorder.requests, "request")
        detail = f"{timeout}the workstation received {received}; {tail(pull.output, 4)}"
    return Verified(
        image=tail(pull.image, 1),
        ok=good,
        via=pull.via,
        mirror=_SERVED_BY if recorder.requests else None,
        seconds=pull.seconds,
        detail=detail,
    )


def _describe_proof(directory: HostsDirectory, *, by_cri: bool) -> str:
    """Return the text that says what the pull proves, and what it leaves open."""
    if not by_cri:
        return "ctr only, CRI not verified"
    if directory.folder is not None:
        return f"CRI pulls, and reads hosts.toml below {directory.folder}"
    return f"CRI pulls; not verified that it reads mirrors: {directory.reason}"

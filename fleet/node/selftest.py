"""The self-test of a node: a pull through CRI of an image that this workstation serves."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from fleet.core.facts import NodeFacts
from fleet.core.model import Node
from fleet.core.outcome import Failure, FailureKind, NodeError, NodeOutcome, NodeStatus, Verified
from fleet.core.selftest import Ground, TinyRegistry, ground_of, tiny_registry
from fleet.core.text import tail
from fleet.node.order import Access
from fleet.node.probe import parse_probe, question
from fleet.node.shell import Privilege, Reply, Script, parse_reply
from fleet.node.talk import ask
from fleet.ssh import Remote, connect
from fleet.ssh.serving import Call

_NET = 15
_SERVED_BY = "this workstation"


@dataclass(frozen=True, slots=True)
class SelfTestOrder:
    """Test one node; `nonce` makes an image that nobody has, `seconds` bounds its pull."""

    node: Node
    access: Access
    nonce: str
    seconds: int


@dataclass(slots=True)
class _Heard:
    """The registry, and whether anybody asked it for a layer."""

    registry: TinyRegistry
    requests: int = 0
    blobs: set[bytes] = field(default_factory=set)

    def answer(self, asked: bytes) -> bytes | None:
        said = self.registry.answer(asked)
        if said is not None:
            self.requests += 1
            path = asked.partition(b"?")[0].partition(b" HTTP")[0]
            self.blobs |= {path} if b"/blobs/" in path else set()
        return said


def self_test(order: SelfTestOrder) -> NodeOutcome:
    """Probe a node and let it pull the tiny image, over one connection; change nothing."""
    began = time.monotonic()
    facts, verified, failure = NodeFacts(), None, None
    try:
        with connect(order.node, order.access.ssh) as remote:
            privilege = order.access.on(order.node)
            facts = parse_probe(ask(remote, question(order.node), privilege))
            verified = _pulled(remote, order, facts, privilege)
            failure = _failure(verified)
    except NodeError as error:
        failure = error.failure
    status = NodeStatus.UNCHANGED
    if failure is not None:
        status = NodeStatus.UNREACHABLE if failure.kind.unreachable else NodeStatus.FAILED
    return NodeOutcome(
        node=order.node.name,
        status=status,
        containerd=str(facts.version) if facts.version else None,
        verified=(verified,) if verified else (),
        failure=failure,
        seconds=round(time.monotonic() - began, 2),
    )


def _failure(verified: Verified) -> Failure | None:
    message = "the node could not pull from this workstation"
    evidence = verified.detail
    return None if verified.ok else Failure(FailureKind.VERIFY, "selftest", message, evidence)


def _pulled(
    remote: Remote, order: SelfTestOrder, facts: NodeFacts, privilege: Privilege
) -> Verified:
    ground = ground_of(facts)
    by_cri = facts.crictl_answers and (ground.folder is not None or ground.direct)
    heard = _Heard(tiny_registry(order.nonce))
    seconds = order.seconds + 40

    def script(port: int) -> Script:
        variables = {
            "LIVENESS": ground.folder or "",
            "PORT": str(port),
            "TAG": order.nonce,
            "CRICTL": "1" if by_cri else "0",
            "SOCKET": facts.socket,
            "PULL_SECONDS": str(order.seconds),
        }
        return Script("selftest", variables, seconds)

    call = Call(
        script(0).line(privilege), lambda port: script(port).stdin(privilege), seconds + _NET
    )
    said = remote.run_serving(call, heard.answer)
    reply = parse_reply("selftest", said.code, said.stdout, said.stderr)
    return _verdict(reply, heard, ground, by_cri=by_cri)


def _verdict(reply: Reply, heard: _Heard, ground: Ground, *, by_cri: bool) -> Verified:
    code = reply.value("code")
    begin, _, end = reply.value("times").partition(" ")
    good = code == "0" and len(heard.blobs) == len(heard.registry.blobs)
    if good:
        detail = _worth(ground, by_cri=by_cri)
    else:
        lack = "timed out; " if code == "124" else ""
        detail = f"{lack}{heard.requests} requests came; {tail(reply.value('output'), 4)}"
    return Verified(
        image=tail(reply.value("image"), 1),
        ok=good,
        via="crictl" if by_cri else "ctr",
        mirror=_SERVED_BY if heard.requests else None,
        seconds=round(float(end or 0) - float(begin or 0), 2),
        detail=detail,
    )


def _worth(ground: Ground, *, by_cri: bool) -> str:
    """Say what the pull proves, and what it leaves open."""
    if not by_cri:
        return "ctr only, CRI not proven"
    if ground.folder is not None:
        return f"CRI pulls, and reads hosts.toml below {ground.folder}"
    return f"CRI pulls; that it reads mirrors is not proven: {ground.reason}"

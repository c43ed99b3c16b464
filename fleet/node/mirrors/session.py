"""A session of endpoint checks through one node."""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from fleet.core.containerd.proxy import proxy_for
from fleet.core.containerd.requests import split_authority
from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.mirrors.check import (
    CheckStep,
    Diagnosis,
    EndpointCheck,
    Observation,
    Target,
    Trouble,
)
from fleet.core.mirrors.diagnosis import diagnose
from fleet.core.model.node import Node
from fleet.node.mirrors.pull import EndpointTest, try_endpoint
from fleet.node.run_script import run_script
from fleet.node.script import Reply, Script, decode_field, exit_code, number, protocol_error
from fleet.node.work_order import Access
from fleet.ssh import connect
from fleet.ssh.forward.tcp import Tunnel

_MOST_ROOTS = 8 << 20


_MOST_BUNDLES = 16


_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


_DNS_CODES = {124: "no answer in time", 2: "no such name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorOrder:
    """The order to test endpoints from one node.

    A step takes at most `seconds`; at most `size` bytes of a layer are read. `roots` caches CA
    bundles by digest between nodes, as most nodes of a fleet have the same.
    """

    node: Node
    access: Access
    targets: tuple[Target, ...]
    seconds: float = 5
    size: int = 1 << 20
    roots: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorTestFacts:
    """The node's properties that a test depends on: its names, CA bundle and proxies.

    `behind` is by how many seconds its clock is behind the workstation's.
    """

    names: Mapping[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    roots: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    architecture: str = "amd64"
    behind: float = 0.0


@dataclass(frozen=True, slots=True)
class MirrorSession:
    """A connected node, ready to test one endpoint after another."""

    order: MirrorOrder
    facts: MirrorTestFacts
    tunnel: Tunnel

    def test(self, target: Target) -> EndpointCheck:
        """Test one endpoint and diagnose it; the limits of its steps limit the test."""
        host, _ = split_authority(target.mirror.authority, target.mirror.scheme)
        code, addresses = self.facts.names.get(host, (0, ()))
        if code:
            words = _DNS_CODES.get(code, f"getent exited with {code}")
            trouble = Trouble.TIMEOUT if code == 124 else Trouble.NO_DNS
            observed = Observation(steps=(CheckStep("dns", 0.0, trouble=trouble, words=words),))
        else:
            endpoint_test = EndpointTest(
                target,
                self.tunnel,
                roots=self.facts.roots,
                architecture=self.facts.architecture,
                seconds=self.order.seconds,
                size=self.order.size,
                addresses=addresses,
            )
            observed = try_endpoint(endpoint_test)
        diagnosis, message = diagnose(target, observed)
        proxy = proxy_for(target.mirror.url, self.facts.environment)
        return EndpointCheck(
            target=target, seen=observed, diagnosis=diagnosis, message=message, proxy=proxy
        )


@contextmanager
def mirror_session(order: MirrorOrder) -> Iterator[MirrorSession]:
    """Connect to a node and read the facts that a test needs; raise a NodeError on failure."""
    with connect(order.node, order.access.ssh) as remote:
        reply = run_script(remote, _facts_script(order), order.access.for_node(order.node))
        facts = read_mirror_test_facts(reply, order.roots)
        with remote.tunnel() as tunnel:
            yield MirrorSession(order, facts, tunnel)


def _facts_script(order: MirrorOrder) -> Script:
    mirrors = (target.mirror for target in order.targets)
    hosts = dict.fromkeys(split_authority(mirror.authority, mirror.scheme)[0] for mirror in mirrors)
    variables = {
        "NAMES": " ".join(hosts),
        "UNIT": order.node.containerd_service or "",
        "KNOWN": " ".join(order.roots),
        "PATIENCE": f"{order.seconds:g}",
    }
    return Script(Step.MIRRORS, variables, 40)


def read_mirror_test_facts(reply: Reply, roots: dict[str, str]) -> MirrorTestFacts:
    """Read the node facts for a mirror test; `roots` holds the bundles read so far."""
    texts = reply.texts("environment")
    now = number(reply.value("now"))
    return MirrorTestFacts(
        names=dict(_read_names(reply)),
        roots=_read_roots(reply, roots),
        environment=dict(text.split("=", 1) for text in texts if "=" in text),
        architecture=_ARCHITECTURES.get(reply.value("arch"), reply.value("arch")),
        behind=round(time.time() - now) if now else 0,
    )


def _read_roots(reply: Reply, known: dict[str, str]) -> str:
    """Return the CA bundle that a node uses, and store it for nodes with the same bundle.

    Its key is the digest of the content received: a digest that a node reports is not trusted.
    """
    sent = next(reply.all("roots"), None)
    if sent is None:
        return known.get(reply.value("bundle"), "")
    content = _unpack_bundle(decode_field(sent[0]))
    text = content.decode("ascii", "ignore")
    if len(known) < _MOST_BUNDLES:
        known[hashlib.sha256(content).hexdigest()] = text
    return text


def _unpack_bundle(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(packed, _MOST_ROOTS)
    except zlib.error as error:
        raise protocol_error("an incomplete CA bundle") from error


def _read_names(reply: Reply) -> Iterator[tuple[str, tuple[int, tuple[str, ...]]]]:
    for name, code, addresses in reply.rows("name", 3):
        resolved = tuple(decode_field(addresses).decode("ascii", "replace").split())
        status = exit_code(code) or (0 if resolved else 2)
        yield decode_field(name).decode("utf-8", "replace"), (status, resolved)


def forwarding_refused(results: tuple[EndpointCheck, ...]) -> NodeError | None:
    """Return the failure of a node whose sshd forwards nothing at all; None for other nodes."""
    if not results or any(check.diagnosis is not Diagnosis.PROHIBITED for check in results):
        return None
    message = "the node's sshd does not allow this user to forward connections"
    remedy = (
        "set AllowTcpForwarding to yes or local for this user (see DisableForwarding and PermitOpen"
        " too), or test from another node"
    )
    return NodeError(FailureKind.UNSUPPORTED, Step.FORWARD, message, remedy)

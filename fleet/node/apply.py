"""The change on a node: its bundle, its script and, beside them, how the answer is read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from fleet.core.changes import per_pull
from fleet.core.facts import STATE_FILE
from fleet.core.model import Change
from fleet.core.outcome import Failure, FailureKind, NodeError, NodeStatus
from fleet.core.plan import state_after
from fleet.core.text import masked, tail
from fleet.node.order import WorkOrder
from fleet.node.shell import Reply, Script, decoded


@dataclass(frozen=True, slots=True)
class Bundle:
    """All new files in one piece, and the list of operations that points into it."""

    content: bytes
    operations: str

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content in hex."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Applied:
    """How the pass on the node ended, and the daemon it left running."""

    status: NodeStatus
    failure: Failure | None
    main_pid: str
    restarts: str
    restarted: bool


def bundle(order: WorkOrder) -> Bundle:
    """Pack the files of a plan, state.json last: it must never speak of what is not there."""
    content = b""
    lines = []
    for change in _changes(order):
        after = change.after.content if change.after else b""
        lines.append(_operation(change, len(content)))
        content += after
    return Bundle(content, "\n".join(lines))


def _changes(order: WorkOrder) -> Iterator[Change]:
    yield from order.plan.changes
    yield Change(STATE_FILE, order.plan.state_before, state_after(order.plan, order.generation))


def _operation(change: Change, offset: int) -> str:
    """Write one line: action, mode, uid, gid, offset, size, digest before, digest after, path."""
    before = change.before.digest if change.before else "-"
    after = change.after
    if after is None:
        return "\t".join(("delete", "-", "-", "-", "-", "-", before, "-", change.path))
    about = (
        f"{after.mode:o}",
        str(after.uid),
        str(after.gid),
        str(offset),
        str(len(after.content)),
    )
    return "\t".join((str(change.action), *about, before, after.digest, change.path))


def apply_script(order: WorkOrder, spool: str, packed: Bundle) -> Script:
    """Return the script that carries the plan out, or takes itself back."""
    checks = (f"{digest or '-'}\t{path}" for path, digest in order.plan.unchanged)
    variables = {
        **_shared(order),
        "MODE": "apply",
        "SPOOL": spool,
        "SIZE": str(len(packed.content)),
        "DIGEST": packed.digest,
        "OPERATIONS": packed.operations,
        "CHECKS": "\n".join(checks),
        "EMPTIED": "\n".join(order.plan.made_directories),
        "CONFIGS": "\n".join(_config_paths(order)),
    }
    return Script("apply", variables, order.deadlines.apply, spool)


def revert_script(order: WorkOrder) -> Script:
    """Return the script that restores the generation of this order."""
    names = ("SPOOL", "SIZE", "DIGEST", "OPERATIONS", "CHECKS", "EMPTIED", "CONFIGS")
    nothing = dict.fromkeys(names, "")
    return Script("apply", {**_shared(order), **nothing, "MODE": "revert"}, order.deadlines.apply)


def _config_paths(order: WorkOrder) -> Iterator[str]:
    """Yield the config files that containerd itself is to judge before they count."""
    if order.plan.restarts_itself:
        return  # the distribution builds its config of them
    for change in order.plan.changes:
        if change.path.endswith(".toml") and not per_pull(change.path):
            yield change.path


def _shared(order: WorkOrder) -> dict[str, str]:
    plan = order.plan
    return {
        "ID": order.generation,
        "ROLLOUT": order.rollout,
        "OPERATOR": order.operator,
        "ROLLBACK": "1" if plan.rollback else "0",
        "UNIT": plan.unit,
        "CONFIG": plan.config,
        "CONFIG_BEFORE": plan.config_before,
        "BINARY": plan.binary,
        "SOCKET": plan.socket,
        "RESTART": "1" if order.restarts else "0",
        "CRICTL": "1" if plan.crictl else "0",
        "HEALTH_SECONDS": str(order.deadlines.health),
        "RESTART_SECONDS": str(order.deadlines.restart),
    }


def parse_applied(reply: Reply, order: WorkOrder) -> Applied:
    """Read how it ended; a status that fleet does not know is a broken protocol."""
    failure = None
    if reply.has("failure"):
        evidence = "\n".join((reply.value("evidence"), reply.value("revert_evidence")))
        failure = Failure(
            _kind(reply.value("failure")),
            reply.value("failed_step"),
            tail(reply.value("message")),
            tail(masked(evidence)),
        )
    status = _status(reply.value("status"), failure)
    steps = {decoded(fields[0]).split(b" ")[0] for fields in reply.all("step")}
    restarted = order.restarts and bool(steps & {b"restart", b"reverted"})
    return Applied(status, failure, reply.value("main_pid"), reply.value("restarts"), restarted)


def _kind(text: str) -> FailureKind:
    try:
        return FailureKind(text)
    except ValueError as error:
        message = f"the node answered with an unknown failure: {tail(text)}"
        raise NodeError(FailureKind.PROTOCOL, "apply", message) from error


def _status(text: str, failure: Failure | None) -> NodeStatus:
    if failure is not None and failure.kind is FailureKind.STALE:
        return NodeStatus.STALE
    try:
        return NodeStatus(text)
    except ValueError as error:
        message = f"the node answered with an unknown status: {tail(text)}"
        raise NodeError(FailureKind.PROTOCOL, "apply", message) from error

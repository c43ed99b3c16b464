"""The reference of failure messages by kind."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from fleet.core.failure import FailureKind
from fleet.node.change_status import ChangeState, ChangeStatus, RevertReason, SettleEnding
from fleet.node.converge import report_undo
from fleet.node.revert import SPENT
from fleet_docs.markdown import prose, table
from fleet_docs.message import Message
from fleet_docs.python_messages import python_messages
from fleet_docs.shell_messages import shell_messages

MEANINGS: Mapping[FailureKind, str] = {
    FailureKind.CONNECT: "The SSH connection could not be made.",
    FailureKind.HOST_KEY: "The node's host key is unknown, changed or revoked.",
    FailureKind.AUTH: "sshd or the login refused the user.",
    FailureKind.TIMEOUT: "A command or a script took too long.",
    FailureKind.SUDO: "The login could not become root.",
    FailureKind.PROTOCOL: "The node sent output that fleet cannot read.",
    FailureKind.UNSUPPORTED: "The node lacks something that fleet needs.",
    FailureKind.CONFLICT: "A file or a setting on the node is in the way.",
    FailureKind.LOCKED: "Another rollout has locked the node.",
    FailureKind.STALE: "A file changed after the plan was made.",
    FailureKind.UPLOAD: "The new files did not reach the node.",
    FailureKind.STORAGE: "A file could not be written.",
    FailureKind.VALIDATE: "The node's containerd does not accept the new config.",
    FailureKind.RESTART: "containerd did not start again.",
    FailureKind.HEALTH: "containerd, its CRI plugin or its runtime is not healthy.",
    FailureKind.VERIFY: "The verification pull failed.",
    FailureKind.REVERT: (
        "The old config could not be restored, or does not work."
        " [Repair a degraded node](how-to/repair.md) shows what to do."
    ),
    FailureKind.GUARD: "The guard could not be armed, or it has reverted the change.",
    FailureKind.BUDGET: "Too many nodes failed, so this node was reverted or not started.",
    FailureKind.UNSTAGED: "The staged files are no longer on the node.",
    FailureKind.WORKLOADS: "A restart would end, or has ended, running containers.",
    FailureKind.DRAIN: "The node could not be drained, so it was left unchanged.",
    FailureKind.NO_GENERATION: "There is nothing saved on the node to go back to.",
    FailureKind.CLUSTER: "The API of the Kubernetes cluster could not be used.",
    FailureKind.WORKER: "A worker process ended in the middle of its work.",
    FailureKind.BUG: "fleet has a bug.",
}


_SHOWN = "do what fleet prints below the message"


def page() -> str:
    """Return a section for each kind of failure, with its messages and what to do."""
    rows: dict[str, dict[str, str]] = defaultdict(dict)
    for message in (*python_messages(), *shell_messages(), *_constant_messages()):
        if _has_words(message.text):
            remedy = message.remedy if _has_words(message.remedy) else _SHOWN
            rows[message.kind].setdefault(message.text, remedy)
    return "\n\n".join(_section(kind, rows[kind.value]) for kind in FailureKind)


def _constant_messages() -> Iterator[Message]:
    """Yield the failures that are made once, outside of the functions that return them."""
    reverted = [
        report_undo(
            ChangeStatus(ending=SettleEnding.LOOKED, state=ChangeState.RESTORED, reason=reason)
        )
        for reason in RevertReason
    ]
    for failure in (SPENT, *reverted):
        if failure is not None:
            yield Message(failure.kind.value, failure.message, failure.remedy)


def _has_words(text: str) -> bool:
    """Return whether a text is more than placeholders, and was read to its end."""
    whole = text == " ".join(text.split()) and not re.search(r" ,| \(\)|^[a-z]+ …$", text)
    return whole and text != text.upper() and text.count("`") % 2 == 0


def _section(kind: FailureKind, remedies: Mapping[str, str]) -> str:
    rows = [(prose(text), prose(remedy)) for text, remedy in sorted(remedies.items())]
    parts = [f"## {kind.value}", MEANINGS[kind]]
    return "\n\n".join([*parts, table(("message", "what to do"), rows)] if rows else parts)

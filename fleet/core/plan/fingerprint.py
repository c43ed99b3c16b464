"""A fingerprint of plans, to see whether they are still those that were shown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from fleet.core.model.change import ManagedFile
from fleet.core.plan.node_plan import NodePlan


def plans_fingerprint(plans: Iterable[NodePlan], salt: str) -> str:
    """Return a digest of every change of every node; the salt hides what short secrets are."""
    digest = hashlib.sha256(salt.encode())
    files: dict[int, bytes] = {}
    for plan in plans:
        if id(plan.changes) not in files:  # similar nodes share their changes
            files[id(plan.changes)] = _changes_digest(plan)
        about = (plan.node.name, plan.strategy, str(plan.restart.cost), plan.notes, plan.findings)
        cause = plan.failure.cause if plan.failure else None
        digest.update(repr((about, cause, files[id(plan.changes)])).encode())
    return digest.hexdigest()


def _changes_digest(plan: NodePlan) -> bytes:
    about = [
        (change.path, _file_digest(change.before), _file_digest(change.after))
        for change in plan.changes
    ]
    return hashlib.sha256(repr(about).encode()).digest()


def _file_digest(file: ManagedFile | None) -> tuple[str, int] | None:
    return (file.digest, file.mode) if file else None

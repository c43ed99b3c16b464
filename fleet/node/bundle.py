"""The bundle of a change, and the scripts that stage it, activate it and guard it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fleet.core.failure import Step
from fleet.core.model.change import Change
from fleet.core.model.owned_state import STATE_FILE
from fleet.core.plan.node_plan import RollbackTarget, state_after
from fleet.core.plan.restart_cost import is_read_per_pull
from fleet.node.script import Script
from fleet.node.work_order import WorkOrder

MARK = b"\x1e"
"""ASCII's record separator. Text does not contain it."""


_NOT_PLAIN_TEXT = re.compile(rb"[^\t\n\r -~]")


@dataclass(frozen=True, slots=True)
class Bundle:
    """The new files and the guard script, packed; the files are in the order of `operations`."""

    content: bytes
    guard_digest: str
    operations: str

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content in hex."""
        return hashlib.sha256(self.content).hexdigest()


def bundle(order: WorkOrder) -> Bundle:
    """Pack the files of a plan. state.json comes last: it must not describe missing files."""
    changes = tuple(_list_changes(order))
    guard = guard_script(order).text().encode()
    written = (change.after.content for change in changes if change.after)
    content = pack((*written, guard))
    operations = "\n".join(map(_format_operation, changes))
    return Bundle(content, hashlib.sha256(guard).hexdigest(), operations)


def pack(contents: Iterable[bytes]) -> bytes:
    """Pack contents so that a shell can split them in a variable; a mark ends each content."""
    return b"".join(_encode_content(content) + MARK for content in contents)


def _encode_content(content: bytes) -> bytes:
    """Encode one content: as plain text if possible, else in base64."""
    return b"b" + base64.b64encode(content) if _NOT_PLAIN_TEXT.search(content) else b"t" + content


def _list_changes(order: WorkOrder) -> Iterator[Change]:
    yield from order.plan.changes
    yield Change(STATE_FILE, order.plan.files.state_before, state_after(order.plan, order.rollout))


def _format_operation(change: Change) -> str:
    """Return one line: action, mode, uid, gid, digest before, digest after, path."""
    before = change.before.digest if change.before else "-"
    after = change.after
    if after is None:
        return "\t".join(("delete", "-", "-", "-", before, "-", change.path))
    attributes = (f"{after.mode:o}", str(after.uid), str(after.gid))
    return "\t".join((str(change.action), *attributes, before, after.digest, change.path))


def stage_script(order: WorkOrder, packed: Bundle) -> Script:
    """Return the script that unpacks a change on the node and validates it with containerd.

    The bundle is part of the script. No file of the login user is involved, and the content
    belongs to root from the first byte.
    """
    plan, target = order.plan, order.plan.rollback or RollbackTarget()
    variables = {
        **_change_variables(order, packed),
        "BUNDLE": packed.content.decode("ascii"),
        "GUARD_DIGEST": packed.guard_digest,
        "CONFIG": plan.config.path,
        "NEEDED": "\n".join(plan.files.needed),
        "OUTSIDE": plan.config.outside_digest,
        "IGNORED": str(plan.config.ignored_tables),
        "BINARY": plan.daemon.binary,
        "ROLLBACK": "1" if plan.rollback is not None else "0",
        "RESTORES": target.generation,
    }
    return Script(Step.STAGE, variables, order.deadlines.stage)


def activate_script(order: WorkOrder, packed: Bundle) -> Script:
    """Return the script that activates the staged change, and reverts it if a step fails."""
    target = order.plan.rollback or RollbackTarget()
    variables = {
        **_change_variables(order, packed),
        **_daemon_variables(order),
        "READ_BEFORE": order.plan.config.folder_before if order.liveness else "",
        "RESTORES": target.generation,
        "ILL": order.plan.daemon.unhealthy,
        "ASKS": "1" if order.liveness else "0",
        "EMPTIED": "\n".join(order.plan.files.emptied_folders),
        "SAVED": "\n".join("\t".join(pair) for pair in target.saved_copies),
        "LINKS": "\n".join("\t".join(pair) for pair in target.saved_links),
        "WORKLOADS": "disrupt" if order.disrupt else "keep",
    }
    return Script(Step.ACTIVATE, variables, order.deadlines.activate)


def guard_script(order: WorkOrder) -> Script:
    """Return the guard script; it is stored on the node beside a pending change and reverts it."""
    return Script(Step.GUARD, {**identity(order), **_daemon_variables(order)})


def identity(order: WorkOrder) -> dict[str, str]:
    """Return the variables that identify a change; the generation is named after the rollout."""
    return {
        "ID": order.rollout,
        "ROLLOUT": order.rollout,
        "OPERATOR": order.operator,
        "PURPOSE": order.purpose,
        "MESSAGE": order.message,
    }


def _change_variables(order: WorkOrder, packed: Bundle) -> dict[str, str]:
    checks = (f"{digest or '-'}\t{path}" for path, digest in order.plan.files.unchanged)
    return {
        **identity(order),
        "DIGEST": packed.digest,
        "MARK": MARK.decode(),
        "OPERATIONS": packed.operations,
        "CHECKS": "\n".join(checks),
        "CONFIGS": "\n".join(_config_paths(order)),
        "GUARD": str(order.deadlines.guard),
    }


def _config_paths(order: WorkOrder) -> Iterator[str]:
    """Yield the config files that containerd must validate before they take effect."""
    if order.plan.restart.by_distribution:
        return  # the distribution builds containerd's config from these files
    for change in order.plan.changes:
        if change.path.endswith(".toml") and not is_read_per_pull(change.path):
            yield change.path


def _restart_mode(order: WorkOrder) -> str:
    """Return 0 without a restart, 1 if fleet restarts the unit, and `self` if it only waits."""
    if not order.restarts:
        return "0"
    return "self" if order.plan.restart.by_distribution else "1"


def _daemon_variables(order: WorkOrder) -> dict[str, str]:
    plan = order.plan
    return {
        "UNIT": plan.daemon.unit,
        "SOCKET": plan.daemon.socket,
        "TOOLS": plan.daemon.tools,
        "RESTART": _restart_mode(order),
        "CRICTL": "1" if plan.daemon.crictl else "0",
        "HEALTH_SECONDS": str(order.deadlines.health),
        "RESTART_SECONDS": str(order.deadlines.restart),
        "LIVENESS": order.plan.liveness_folder if order.liveness else "",
    }

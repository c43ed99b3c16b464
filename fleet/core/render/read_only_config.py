"""A copy of a config below a read-only /usr, and a unit drop-in that names the copy."""

from __future__ import annotations

import re

from fleet.core.containerd.managed_header import managed_because
from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.render.base import file_like

OWN_CONFIG = "/etc/containerd/config.toml"


_ARGUMENT = re.compile(r"[A-Za-z0-9_./:=@,+-]+")


def moved_config(facts: NodeFacts, content: bytes, *, secret: bool) -> dict[str, ManagedFile]:
    """Copy the root config to /etc, and point the unit to the copy."""
    if facts.config.path not in facts.files or OWN_CONFIG in facts.files:
        raise _refused(f"{facts.config.path} is below /usr and missing, or {OWN_CONFIG} exists")
    line = [
        OWN_CONFIG if argument == facts.config.path else argument
        for argument in facts.daemon.arguments
    ]
    if OWN_CONFIG not in line:
        line = [part.replace(f"={facts.config.path}", f"={OWN_CONFIG}") for part in line]
    if not line or not all(_ARGUMENT.fullmatch(argument) for argument in line):
        raise _refused(
            f"{facts.config.path} is below /usr, and containerd's command line has characters that"
            " fleet does not write into a unit"
        )
    unit = f"[Service]\nExecStart=\nExecStart={' '.join(line)}\n"
    text = managed_because(f"{facts.config.path} is read-only, its copy is not.") + unit
    return {
        OWN_CONFIG: file_like(facts, OWN_CONFIG, content, secret=secret),
        f"/etc/systemd/system/{facts.daemon.unit_name}.service.d/zz-fleet.conf": ManagedFile(
            text.encode()
        ),
    }


def _refused(message: str) -> NodeError:
    remedy = f"copy the file to {OWN_CONFIG} and point the unit to the copy, by hand"
    return NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)

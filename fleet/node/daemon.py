"""The daemon of a node: its unit, its versions, and how k3s or RKE2 starts it."""

from __future__ import annotations

import re

from fleet.core.model.facts import Answer, DaemonFacts, RancherFacts, UnitState
from fleet.core.model.version import ContainerdVersion, parse_version, parse_version_line
from fleet.node.script import Reply, number
from fleet.node.systemd import unit_state

_CODE = re.compile("[0-9]{1,3}")


def read_daemon(reply: Reply) -> DaemonFacts:
    """Read the facts about the daemon from the probe's records."""
    running = _daemon_version(parse_answer(reply, "ctr").text)
    installed = parse_version_line(parse_answer(reply, "version").text)
    unit = unit_state(parse_answer(reply, "unit").text, reply)
    return DaemonFacts(
        owner=reply.value("owner") or None,
        rancher=_read_rancher(reply, unit),
        unit_name=reply.value("unit_name") or "containerd",
        unit=unit,
        socket=reply.value("socket"),
        arguments=tuple(reply.value("cmdline").splitlines()),
        binary=reply.value("binary"),
        installed_version=running if reply.has("same_binary") else installed,
        running_version=running,
        tasks=number(reply.value("tasks")),
    )


def _read_rancher(reply: Reply, unit: UnitState) -> RancherFacts:
    changed = number(reply.value("program_changed"))
    later = unit.started is not None and changed > unit.started + 1
    return RancherFacts(
        registries=reply.value("registries"),
        data_dir=reply.value("data_dir"),
        tools=reply.value("tools"),
        no_upstream=reply.has("no_upstream"),
        docker=reply.has("docker"),
        program=reply.value("program"),
        replaced=reply.has("program_replaced") or later,
    )


def parse_answer(reply: Reply, key: str) -> Answer:
    """Split an answer into its text and the exit code on its last line."""
    text, mark, code = reply.value(key).rpartition("\nrc ")
    known = mark and _CODE.fullmatch(code.strip())
    return Answer(text, int(code)) if known else Answer("", 127)


def _daemon_version(text: str) -> ContainerdVersion | None:
    """Read the server's block of `ctr version`: the daemon that runs, not the client."""
    _, mark, server = text.partition("Server:")
    match = re.search(r"Version:\s+(\S+)", server) if mark else None
    return parse_version(match[1]) if match else None

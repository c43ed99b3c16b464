"""A rollout of any size as its journal would tell it, with an end of every kind."""

from __future__ import annotations

from typing import Any

from fleet.core.history.replay import JournalEntry
from fleet.core.masking import stars
from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan
from fleet.core.report.data import planned_data, report_data

_VERSIONS = ("1.4.13~ds1", "1.6.20~ds1", "1.7.24~ds1", "2.1.4+ds2")
_MIRRORS = ("https://docker.m.daocloud.io", "https://dockerproxy.com", None)
_PULL = {"image": "docker.io/library/busybox:1.36", "ok": True, "via": "crictl", "detail": ""}
_HOSTS = b'server = "https://registry-1.docker.io"\n\n[host."https://docker.m.daocloud.io"]\n'
_MESSAGE = "the verification pull of docker.io/library/busybox:1.36 failed"
_EVIDENCE = (
    'level=fatal msg="pulling image: failed to do request: Head'
    ' https://docker.m.daocloud.io/v2/library/busybox/manifests/1.36: x509: unknown authority"'
)


def at(second: float) -> str:
    """Return a moment of the rollout as the journal writes it."""
    minutes, seconds = divmod(second, 60)
    return f"2026-01-01T{int(minutes // 60):02}:{int(minutes % 60):02}:{seconds:06.3f}+00:00"


def _ended(number: int) -> dict[str, Any]:
    """Return how a node's pass ended: most converged, a few of every other kind."""
    strategy = "legacy" if number % 4 == 0 else "certs.d"
    about = {"strategy": strategy, "containerd": _VERSIONS[number % 4], "changed": True}
    failure = {"kind": "verify", "step": "verify", "message": _MESSAGE, "evidence": _EVIDENCE}
    pull = {**_PULL, "mirror": _MIRRORS[number % 3], "seconds": 0.3 + number % 7 / 5}
    match number % 50:
        case 3:
            return {**about, "status": "rolled_back", "failure": failure, "restarted": True}
        case 17:
            lost = {"kind": "connect", "step": "connect", "message": "timed out (10 s)"}
            return {"status": "unreachable", "failure": lost}
        case _:
            return {**about, "status": "converged", "restarted": True, "verified": [pull]}


def story(count: int) -> tuple[dict[str, Any], list[JournalEntry]]:
    """Return what the journal holds of a rollout to `count` nodes, in batches of a tenth."""
    names = [f"worker-{number:03}.example.net" for number in range(count)]
    size = max(1, count // 10)
    batches = [names[start : start + size] for start in range(0, count, size)]
    about = {
        "kind": "rollout",
        "operator": "ops@workstation",
        "files": {"inventory.yaml": "ab" * 32, "mirrors.yaml": "cd" * 32},
        "batches": batches,
        "flags": {"batch": "10%", "max_failures": "5%", "soak": 6},
    }
    change = Change("/etc/containerd/certs.d/docker.io/hosts.toml", None, ManagedFile(_HOSTS))
    plans = [NodePlan(node=Node(name=name, host=name), changes=(change,)) for name in names]
    entries = [JournalEntry(at(0), "planned", None, planned_data(plans, stars))]
    entries += [JournalEntry(at(0.5), "moved", name, {"status": "staging"}) for name in names]
    entries += [
        JournalEntry(at(1 + n / 40), "moved", x, {"status": "staged"}) for n, x in enumerate(names)
    ]
    clock = 2 + count / 40
    for number, batch in enumerate(batches, 1):
        entries.append(JournalEntry(at(clock), "batch", None, {"number": number}))
        for place, name in enumerate(batch):
            ended = {**_ended(names.index(name)), "seconds": 6.0 + place % 5}
            entries.append(JournalEntry(at(clock), "moved", name, {"status": "running"}))
            entries.append(JournalEntry(at(clock + 6 + place % 5), "moved", name, ended))
        clock += 12
    entries.append(JournalEntry(at(clock), "ended", None, {"status": "finished", "reason": ""}))
    return about, entries


def told_story(count: int) -> dict[str, Any]:
    """Return the report's data of such a rollout."""
    about, entries = story(count)
    return report_data("20260101-000000-abcd", at(0), about, entries)

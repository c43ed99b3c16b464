"""The probe: its script, and the parser of its reply."""

from __future__ import annotations

import json
from collections.abc import Mapping

from fleet.core.failure import Step
from fleet.core.masking.shown_text import tail
from fleet.core.model.facts import (
    Answer,
    ConfigFacts,
    CriFacts,
    MachineFacts,
    NodeFacts,
    PathFacts,
)
from fleet.core.model.generation import Generation
from fleet.core.model.node import Node
from fleet.core.model.pending import PENDING, Pending
from fleet.core.plan.links import with_targets
from fleet.core.text.documents import table, word
from fleet.node.daemon import parse_answer, read_daemon
from fleet.node.etcd_reply import read_etcd
from fleet.node.file_records import FileRecord, file_records, file_text, split_names
from fleet.node.generations import GENERATIONS, read_generations, read_saved_edits
from fleet.node.paths import read_places
from fleet.node.script import Reply, Script, decode_field, number, timestamp
from fleet.node.shell_errors import shell_error_cause
from fleet.node.systemd import properties, time_span

_TIMERS = "/run/systemd/transient/"
_INTERNAL = (GENERATIONS, f"{PENDING}/", "/run/fleet/", _TIMERS)


def question(node: Node, *, full_default: bool = False, walk: str = "") -> Script:
    """Return the probe's script; `walk` requests generations: `latest`, `all` or back to an id."""
    variables = {
        "DISTRO": node.distro or "",
        "UNIT": node.containerd_service or "",
        "CONFIG": node.containerd_config or "",
        "SOCKET": node.containerd_socket or "",
        "FULL_DEFAULT": "1" if full_default else "0",
        "WALK": walk,
    }
    return Script(Step.PROBE, variables, seconds=60)


def parse_probe(reply: Reply) -> NodeFacts:
    """Read the facts from the probe's records; raise a NodeError if they are incomplete."""
    _refuse_incomplete(reply)
    records = {record.path: record for record in file_records(reply)}
    files = {path: record.file for path, record in records.items() if not _is_internal(path)}
    paths = _read_paths(reply, records)
    return NodeFacts(
        machine=_read_machine(reply, records),
        daemon=read_daemon(reply),
        cri=_read_cri(reply),
        config=_read_config(reply, records),
        files=with_targets(files, paths.links, paths.entries),
        paths=paths,
        lock=file_text(records, "/run/fleet/lock"),
        pending=_read_pending(reply, records),
        generations=_read_generations(reply, records),
        own_files=tuple(tail(path, 1) for path in reply.texts("own")),
        saved_edits=tuple(read_saved_edits(reply.texts("edit"))),
    )


def _read_machine(reply: Reply, records: Mapping[str, FileRecord]) -> MachineFacts:
    control_plane = sorted(tail(name, 1) for name in _value_set(reply, "control_plane"))
    return MachineFacts(
        hostname=reply.value("hostname"),
        id=_machine_id(reply.value("machine")),
        distribution=_os_name(records),
        distribution_id=_os_release(records).get("ID", "").strip("\"'"),
        marks=tuple(reply.texts("mark")),
        control_plane=tuple(control_plane[:5]),
        etcd=read_etcd(reply),
    )


def _read_cri(reply: Reply) -> CriFacts:
    info = parse_answer(reply, "info")
    state, detail = ("ok", "") if info.ok else _cri_state(parse_answer(reply, "cri"))
    return CriFacts(
        state=state,
        detail=detail,
        crictl=reply.value("crictl") or None,
        crictl_answers=info.ok,
        runtime_ready=_runtime_ready(info),
    )


def _read_config(reply: Reply, records: Mapping[str, FileRecord]) -> ConfigFacts:
    path = reply.value("config")
    return ConfigFacts(
        path=path,
        imports=tuple(file for file in records if _is_imported(file, path)),
        dump=parse_answer(reply, "dump"),
        default=parse_answer(reply, "default").text or None,
        certificates=_value_set(reply, "present") if reply.has("looked") else frozenset(),
    )


def _read_paths(reply: Reply, records: Mapping[str, FileRecord]) -> PathFacts:
    folders = (split_names(decode_field(fields[0])) for fields in reply.all("dirs"))
    return PathFacts(
        entries=read_places(reply),
        complete=reply.has("named") and not reply.has("places_left"),
        directories=frozenset(path for paths in folders for path in paths),
        links=frozenset(path for path, record in records.items() if record.link),
        changed_at={path: record.mtime for path, record in records.items()},
        skipped_files=number(reply.value("crowded")),
    )


def _refuse_incomplete(reply: Reply) -> None:
    """Raise a NodeError if the node could not start a process: its output is then unknown."""
    failed = [answer.text for key in _COMMANDS if not (answer := parse_answer(reply, key)).ok]
    error = shell_error_cause(Step.PROBE, "\n".join((reply.error_output, *failed)))
    if error is not None:
        raise error


_COMMANDS = ("ctr", "version", "info", "cri", "dump", "unit")
"""Records that hold the output of a command."""


def _machine_id(text: str) -> str:
    """Return an identifier that no two running machines share; empty if a part is unknown.

    Clones share the machine id but not the boot id; containers share the boot id.
    """
    return text if len(text.split(" ")) == 3 and all(text.split(" ")) else ""


def _is_internal(path: str) -> bool:
    return path == "/etc/os-release" or path.startswith(_INTERNAL)


def _is_imported(path: str, config: str) -> bool:
    if path == config or _is_internal(path) or path.startswith("/var/lib/fleet/"):
        return False
    return path.endswith(".toml") and not path.endswith("/hosts.toml")


def _read_pending(reply: Reply, records: Mapping[str, FileRecord]) -> Pending | None:
    """Read the unconfirmed change; its times are those of the files that record it."""
    rollout = file_text(records, f"{PENDING}/id")
    if rollout is None:
        return None
    phase, failed = (file_text(records, f"{PENDING}/{name}") or "" for name in ("phase", "failed"))
    paths = (f"{PENDING}/{name}" for name in _TIMED_FILES)
    times = [records[path].mtime if path in records else 0 for path in paths]
    return Pending(
        rollout,
        phase.partition(" ")[0],
        times[0] or times[1],
        failed,
        times[2],
        _timer_left(reply, records.get(f"{_TIMERS}fleet-guard-{rollout}.timer")),
    )


def _timer_left(reply: Reply, timer: FileRecord | None) -> int | None:
    """Return the seconds until the guard's timer fires; None if it has no timer.

    systemd writes the file of a transient timer when the timer starts.
    """
    if timer is None:
        return None
    text = timer.file.content.decode("utf-8", "replace")
    seconds = time_span(properties(text).get("OnActiveSec", ""))
    return max(0, round(timer.mtime + seconds - timestamp(reply.value("now")))) if seconds else None


_TIMED_FILES = ("phase", "id", "failed")
"""The small files of a pending change whose times are reported."""


def _value_set(reply: Reply, key: str) -> frozenset[str]:
    return frozenset(reply.texts(key))


def _os_release(records: Mapping[str, FileRecord]) -> dict[str, str]:
    return properties(file_text(records, "/etc/os-release") or "")


def _os_name(records: Mapping[str, FileRecord]) -> str:
    name = _os_release(records).get("PRETTY_NAME", "").strip("\"'")
    return name.replace("GNU/Linux ", "")


def _cri_state(answer: Answer) -> tuple[str, str]:
    """Read the row of the CRI plugin: ok, error or absent; the last column is its status."""
    for line in answer.text.splitlines():
        words = line.split()
        if words[:2] == ["io.containerd.grpc.v1", "cri"]:
            return ("ok" if words[-1] == "ok" else "error"), ""
    return ("absent", "") if answer.ok else ("unknown", tail(answer.text, 3))


def _runtime_ready(info: Answer) -> bool | None:
    """Read RuntimeReady from `crictl info`; None if it is not reported."""
    start = info.text.find("{")
    if not info.ok or start < 0:
        return None
    try:
        body, _ = json.JSONDecoder().raw_decode(info.text[start:])
    except (ValueError, RecursionError):
        return None
    conditions = table(body, "status").get("conditions")
    if not isinstance(conditions, list):
        return None
    ready = (condition for condition in conditions if word(condition, "type") == "RuntimeReady")
    return any(table(condition).get("status") is True for condition in ready)


def _read_generations(reply: Reply, records: Mapping[str, FileRecord]) -> tuple[Generation, ...]:
    """Read the chain of the present state, then a generation beside it that was requested."""
    files = {path: record.file for path, record in records.items() if path.startswith(GENERATIONS)}
    beside = sorted(_value_set(reply, "beside"))
    crowded = reply.has("saved_crowded")
    return (
        *read_generations(list(reply.texts("chain")), files, crowded=crowded),
        *read_generations(beside, files, beside=True, crowded=crowded),
    )

"""The probe: its script, and the parser of its reply."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fleet.core.failure import FailureKind, NodeError
from fleet.core.masking.shown_text import tail
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import Answer, NodeFacts, UnitState
from fleet.core.model.generation import Generation
from fleet.core.model.node import Node
from fleet.core.model.pending import PENDING, Pending
from fleet.core.model.version import ContainerdVersion, parse_version, parse_version_line
from fleet.core.plan.links import with_targets
from fleet.core.text.documents import table, word
from fleet.node.generations import GENERATIONS, read_generations
from fleet.node.paths import read_places
from fleet.node.script import Reply, Script, decode_field, number, protocol_error, timestamp
from fleet.node.shell_errors import shell_error_cause

_CODE = re.compile("[0-9]{1,3}")
_STAT = re.compile(r"([0-7]{1,6}) ([0-9]{1,10}) ([0-9]{1,10}) (-?[0-9]{1,12}) ([0-9]{1,12})")
_INTERNAL = (GENERATIONS, f"{PENDING}/", "/run/fleet/")


def question(node: Node, *, full_default: bool = False, walk: str = "") -> Script:
    """Return the probe's script; `walk` requests saved generations: `latest`, or back to one id."""
    variables = {
        "DISTRO": node.distro or "",
        "UNIT": node.containerd_service or "",
        "CONFIG": node.containerd_config or "",
        "SOCKET": node.containerd_socket or "",
        "FULL_DEFAULT": "1" if full_default else "0",
        "WALK": walk,
    }
    return Script("probe", variables, seconds=60)


@dataclass(frozen=True, slots=True)
class _Found:
    """A file record."""

    path: str
    kept: ManagedFile
    mtime: int
    link: bool


def parse_probe(reply: Reply) -> NodeFacts:
    """Read the facts from the probe's records; raise a NodeError if they are incomplete."""
    _refuse_incomplete(reply)
    found = {each.path: each for each in _found(reply)}
    unit = _unit(_answer(reply, "unit").text, reply)
    dump = _answer(reply, "dump")
    info = _answer(reply, "info")
    cri, detail = ("ok", "") if info.ok else _cri(_answer(reply, "cri"))
    daemon = _daemon_version(_answer(reply, "ctr").text)
    binary = parse_version_line(_answer(reply, "version").text)
    config = reply.value("config")
    links = frozenset(path for path, each in found.items() if each.link)
    places = read_places(reply)
    files = {path: each.kept for path, each in found.items() if not _internal(path)}
    return NodeFacts(
        hostname=reply.value("hostname"),
        machine=_machine(reply.value("machine")),
        distribution=_os_name(found),
        marks=tuple(reply.texts("mark")),
        unit=unit,
        distribution_id=_release(found).get("ID", "").strip("\"'"),
        owner=reply.value("owner") or None,
        no_upstream=reply.has("no_upstream"),
        unit_name=reply.value("unit_name") or "containerd",
        socket=reply.value("socket"),
        arguments=tuple(reply.value("cmdline").splitlines()),
        present=_words(reply, "present") if reply.has("looked") else frozenset(),
        binary=reply.value("binary"),
        binary_version=daemon if reply.has("same_binary") else binary,
        daemon_version=daemon,
        config=config,
        dump=dump,
        default=_answer(reply, "default").text or None,
        imports=tuple(path for path in found if _imported(path, config)),
        files=with_targets(files, links, places),
        changed_at={path: each.mtime for path, each in found.items()},
        links=links,
        paths=places,
        paths_complete=reply.has("named") and not reply.has("places_left"),
        skipped_files=number(reply.value("crowded")),
        directories=frozenset(
            each for fields in reply.all("dirs") for each in _lines(decode_field(fields[0]))
        ),
        cri=cri,
        cri_detail=detail,
        crictl=reply.value("crictl") or None,
        crictl_answers=info.ok,
        runtime_ready=_runtime_ready(info),
        tasks=number(reply.value("tasks")),
        lock=_text(found, "/run/fleet/lock"),
        pending=_pending(found),
        control_plane=tuple(sorted(tail(each, 1) for each in _words(reply, "control_plane")))[:5],
        generations=_generations(reply, found),
    )


def _refuse_incomplete(reply: Reply) -> None:
    """Raise a NodeError if the node could not start a process: its output is then unknown."""
    failed = [each.text for key in _COMMANDS if not (each := _answer(reply, key)).ok]
    named = shell_error_cause("probe", "\n".join((reply.error_output, *failed)))
    if named is not None:
        raise named


_COMMANDS = ("ctr", "version", "info", "cri", "dump", "unit")
"""Records that hold the output of a command."""


def _found(reply: Reply) -> Iterator[_Found]:
    """Split the record of all files: kinds, names and stat lines, and their joined contents."""
    for (contents,), (kind_marks, names, about) in zip(
        reply.rows("contents", 1), reply.rows("files", 3), strict=False
    ):
        kinds = decode_field(kind_marks).decode("ascii", "replace")
        paths = _lines(decode_field(names))
        lines = [
            _stat(line) for line in decode_field(about).decode("ascii", "replace").splitlines()
        ]
        content = decode_field(contents)
        sizes = [size for *_, size in lines]
        if not len(kinds) == len(paths) == len(lines) or sum(sizes) != len(content):
            message = "files changed again and again while they were read; try again"
            raise NodeError(FailureKind.PROTOCOL, "probe", message)
        start = 0
        for kind, path, (mode, uid, gid, mtime, size) in zip(kinds, paths, lines, strict=True):
            kept = ManagedFile(content[start : start + size], mode, uid, gid)
            start += size
            yield _Found(path, kept, mtime, kind == "l")


def _stat(line: str) -> tuple[int, int, int, int, int]:
    """Parse a line of stat: mode, uid, gid, mtime and size."""
    found = _STAT.fullmatch(line)
    if found is None:
        raise protocol_error("no line of stat", line[:200])
    mode, *others = found.groups()
    uid, gid, mtime, size = map(int, others)
    return int(mode, 8), uid, gid, mtime, size


def _lines(names: bytes) -> list[str]:
    """Split names at line feeds only; Unicode's other line separators may be part of a name."""
    return names.decode("utf-8", "surrogateescape").split("\n")[:-1]


def _machine(text: str) -> str:
    """Return an identifier that no two running machines share; empty if a part is unknown.

    Clones share the machine id but not the boot id; containers share the boot id.
    """
    return text if len(text.split(" ")) == 3 and all(text.split(" ")) else ""


def _answer(reply: Reply, key: str) -> Answer:
    """Split an answer into its text and the exit code on its last line."""
    text, mark, code = reply.value(key).rpartition("\nrc ")
    known = mark and _CODE.fullmatch(code.strip())
    return Answer(text, int(code)) if known else Answer("", 127)


def _internal(path: str) -> bool:
    return path == "/etc/os-release" or path.startswith(_INTERNAL)


def _imported(path: str, config: str) -> bool:
    if path == config or _internal(path) or path.startswith("/var/lib/fleet/"):
        return False
    return path.endswith(".toml") and not path.endswith("/hosts.toml")


def _text(found: Mapping[str, _Found], path: str) -> str | None:
    return tail(found[path].kept.content.decode("utf-8", "replace")) if path in found else None


def _pending(found: Mapping[str, _Found]) -> Pending | None:
    """Read the unconfirmed change; its times are those of the files that record it."""
    rollout = _text(found, f"{PENDING}/id")
    if rollout is None:
        return None
    phase, failed = (_text(found, f"{PENDING}/{name}") or "" for name in ("phase", "failed"))
    times = [found[at].mtime if (at := f"{PENDING}/{name}") in found else 0 for name in _NOTES]
    return Pending(rollout, phase.partition(" ")[0], times[0] or times[1], failed, times[2])


_NOTES = ("phase", "id", "failed")
"""The small files of a pending change whose times are reported."""


def _properties(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {key: value for key, mark, value in pairs if mark}


def _unit(text: str, reply: Reply) -> UnitState:
    about = _properties(text)
    return UnitState(
        load=about.get("LoadState", "not-found"),
        active=about.get("ActiveState", "inactive"),
        sub=about.get("SubState", "dead"),
        main_pid=number(about.get("MainPID", "")),
        restarts=number(about.get("NRestarts", "")),
        started=_started(about, reply),
        kill_mode=about.get("KillMode", ""),
        delegate=about.get("Delegate", ""),
    )


def _started(about: Mapping[str, str], reply: Reply) -> float | None:
    """Convert systemd's monotonic stamp into seconds since the epoch by the node's own clock."""
    stamp = number(about.get("ExecMainStartTimestampMonotonic", ""))
    if not stamp:
        return None
    return timestamp(reply.value("now")) - timestamp(reply.value("uptime")) + stamp / 1e6


def _words(reply: Reply, key: str) -> frozenset[str]:
    return frozenset(reply.texts(key))


def _release(found: Mapping[str, _Found]) -> dict[str, str]:
    return _properties(_text(found, "/etc/os-release") or "")


def _os_name(found: Mapping[str, _Found]) -> str:
    name = _release(found).get("PRETTY_NAME", "").strip("\"'")
    return name.replace("GNU/Linux ", "")


def _daemon_version(text: str) -> ContainerdVersion | None:
    """Read the server's block of `ctr version`: the daemon that runs, not the client."""
    _, mark, server = text.partition("Server:")
    match = re.search(r"Version:\s+(\S+)", server) if mark else None
    return parse_version(match[1]) if match else None


def _cri(answer: Answer) -> tuple[str, str]:
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
    ready = (each for each in conditions if word(each, "type") == "RuntimeReady")
    return any(table(each).get("status") is True for each in ready)


def _generations(reply: Reply, found: Mapping[str, _Found]) -> tuple[Generation, ...]:
    files = {path: each.kept for path, each in found.items() if path.startswith(GENERATIONS)}
    beside = _words(reply, "beside")
    if beside:  # requested by its id, and not in the chain of the current state
        return tuple(read_generations(sorted(beside), files, beside=True))
    return tuple(read_generations(reply.texts("chain"), files))

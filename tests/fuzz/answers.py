"""Answers of the probe, put together from files and records: whole, or odd at one place."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.core.failure import Step
from fleet.core.model.change import ManagedFile
from fleet.core.model.owned_state import STATE_FILE, OwnedState
from fleet.node.script import decode_field, parse_reply
from tests.fuzz.mutate import mutated, mutated_json, mutated_toml
from tests.golden.inputs import STARTS
from tests.node.record import ANSWERS

_GENERATION = "/var/lib/fleet/generations/g1/"
HOSTS = "/etc/containerd/certs.d/docker.io/hosts.toml"
HOSTS_TOML = b"""server = "https://registry-1.docker.io"
[host."https://m.example"]
  capabilities = ["pull", "resolve"]
  ca = ["/etc/containerd/ca.crt"]
  client = [["/c.crt", "/c.key"]]
  dial_timeout = "3s"
  override_path = true
  [host."https://m.example".header]
    authorization = ["Basic dTpw"]
"""
REGISTRIES_YAML = b"""mirrors:
  docker.io:
    endpoint: ["https://m.example", "https://n.example/v2/hub"]
    rewrite: {"^(.*)$": "hub/$1"}
configs:
  m.example:
    auth: {username: u, password: p}
    tls: {ca_file: /a.crt, insecure_skip_verify: true}
"""
_MANIFEST = b"file\t0\t644\t0\t0\tdigest\t/etc/containerd/config.toml\nnewdir\t-\t-\t-\t-\t-\t/x\n"
OWNERS = ("", "", "", "k3s", "rke2", "k0s", "microk8s", "canonical-k8s", "other")


@dataclass(slots=True)
class Answer:
    """An answer of the probe before it is written: its records, files and folders."""

    records: list[tuple[str, list[bytes]]]
    files: dict[str, bytes] = field(default_factory=dict)
    directories: list[str] = field(default_factory=list)

    def set(self, key: str, *values: bytes) -> None:
        """Put one record in the place of all with its key."""
        self.records = [record for record in self.records if record[0] != key]
        self.records.append((key, list(values)))

    def text(self) -> str:
        """Write it as the node's script does, every field in base64."""
        about = "".join(f"644 0 0 1 {len(content)}\n" for content in self.files.values())
        names = "".join(f"{path}\n" for path in self.files)
        contents = b"".join(self.files.values())
        folders = "".join(f"{path}\n" for path in self.directories)
        last = [
            ("contents", [contents]),
            ("files", [b"f" * len(self.files), names.encode("utf-8", "replace"), about.encode()]),
            ("dirs", [folders.encode("utf-8", "replace")]),
        ]
        lines = (
            "\t".join((key, *(base64.b64encode(value).decode() for value in values))) + "\n"
            for key, values in (*self.records, *last)
        )
        return "".join(lines) + "end\t\n"


_KEYS = (
    *("hello", "hostname", "owner", "unit_name", "socket", "tasks", "binary", "config", "looked"),
    *("same_binary", "crictl", "now", "uptime", "unit", "cmdline", "dump", "ctr", "info"),
)


def _recorded(suite: str) -> Answer:
    reply = parse_reply(Step.PROBE, 0, (ANSWERS / f"{suite}.txt").read_text(), "")
    records = [
        (key, [decode_field(each) for each in fields]) for key in _KEYS for fields in reply.all(key)
    ]
    ((kinds, names, about),) = reply.all("files")
    del kinds
    (contents,) = next(reply.all("contents"))
    rest, files = decode_field(contents), {}
    paths = decode_field(names).decode().split("\n")[:-1]
    for path, line in zip(paths, decode_field(about).decode().splitlines(), strict=True):
        size = int(line.split(" ")[4])
        files[path], rest = rest[:size], rest[size:]
    return Answer(records, files)


_RECORDED = {suite: _recorded(suite) for suite in ("bullseye", "bookworm", "trixie", "forky")}


def whole(suite: str, files: Mapping[str, bytes], owner: str = "") -> Answer:
    """Return a good answer of a node of a suite, with these files and what fleet leaves on one."""
    base = _RECORDED[suite]
    answer = Answer(list(base.records), {**base.files, **files})
    owned = {HOSTS: ManagedFile(HOSTS_TOML, 0o644).digest, "/gone": "0" * 64}
    state = OwnedState("g1", owned, ('configs."m.example".auth',)).render()
    answer.files |= {
        STATE_FILE: state,
        HOSTS: HOSTS_TOML,
        f"{_GENERATION}manifest": _MANIFEST,
        f"{_GENERATION}files/0": b"version = 2\n",
        "/run/fleet/lock": b"id\nwho\nwhat\n",
    }
    answer.directories = ["/etc/containerd/certs.d", HOSTS.rpartition("/")[0]]
    answer.set("chain", b"g1")
    answer.set("tasks", b"3")
    answer.set("owner", owner.encode())
    if owner in {"k3s", "rke2"}:
        answer.files[f"/etc/rancher/{owner}/registries.yaml"] = REGISTRIES_YAML
    if owner == "k0s":
        text = b'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path="/x"\n'
        answer.files["/etc/k0s/containerd.d/a.toml"] = text
    return answer


_ODD = (
    b"", b"-1", b"0", "\u00b2".encode(), b"9" * 400, b"9" * 5000, b"nan", b"inf", b"1e999",
    b"x y z", b"1.2", b"999999999999999999999.1.1", b"a\nb\nc", b"\x1b[31m", b"\0", b"yes",
    b"\xff\xfe", b"/../x", b"rc 0", b"\nrc 0", b"\nrc 9999999999999999999999", b"\nrc \xc2\xb2",
    b"\xed\xa0\x80", b"Version: 9\nServer:\n Version: 2.1.4\nrc 0",
    b"Server:\n  Version:  " + b"9" * 5000 + b"\nrc 0",
    b'{"status": {"conditions": [{"type": "RuntimeReady", "status": {}}]}}\nrc 0',
    b'{"status": {"conditions": 5}}\nrc 0', b"{" * 5000 + b"\nrc 0",
    b'{"a":' * 5000 + b"\nrc 0", b"ExecMainStartTimestampMonotonic=" + b"9" * 500,
    b"NRestarts=\xc2\xb2\nMainPID=" + b"9" * 5000,
)  # fmt: skip


def odd_answer(dice: random.Random) -> str:
    """Return an answer that is odd in its bytes, in its records or in one of its files."""
    suite = dice.choice(tuple(_RECORDED))
    if dice.random() < 0.1:
        text = (ANSWERS / f"{suite}.txt").read_bytes()
        return mutated(text, dice).decode("utf-8", "replace")
    start = dice.choice(tuple(STARTS.values()))
    files = {path: text.encode() for path, text in start.items()}
    answer = whole(suite, files, dice.choice(OWNERS))
    if dice.random() < 0.3:
        _odd_record(answer, dice)
    for _ in range(dice.randint(1, 2)):
        _odd_file(answer, dice)
    text = answer.text()
    return mutated(text.encode(), dice).decode("utf-8", "replace") if dice.random() < 0.1 else text


def _odd_record(answer: Answer, dice: random.Random) -> None:
    number = dice.randrange(len(answer.records))
    key, values = answer.records[number]
    match dice.randrange(4):
        case 0:
            del answer.records[number]
        case 1:
            answer.records.append((key, [dice.choice(_ODD)]))
        case 2:
            answer.records[number] = (key, [*values, *values][: dice.randrange(4)])
        case _:
            answer.records[number] = (key, [dice.choice(_ODD)])


def _odd_file(answer: Answer, dice: random.Random) -> None:
    """Make one of the files odd, or the dump, which is a file in all but name."""
    dump = next((values[0] for key, values in answer.records if key == "dump" and values), b"")
    path = dice.choice((*answer.files, "/etc/containerd/config.toml", HOSTS, "dump", "dump"))
    if path == "dump":
        body = dump.rpartition(b"\nrc ")[0]
        answer.set("dump", _mutated(b"x.toml", body, dice) + b"\nrc 0")
        return
    content = answer.files.get(path, b"")
    answer.files[path] = _mutated(path.encode(), content, dice)[: 1 << 20]
    if path.endswith("config.toml") and dice.random() < 0.5:  # a daemon that reads the same
        answer.set("dump", answer.files[path] + b"\nrc 0")
    if dice.random() < 0.05:
        answer.files[mutated(path.encode(), dice).decode("utf-8", "replace")[:5000]] = content


def _mutated(name: bytes, content: bytes, dice: random.Random) -> bytes:
    try:
        if name.endswith(b".toml"):
            return mutated_toml(content, dice)
        if name.endswith(b".json"):
            return mutated_json(content, dice)
    except ValueError:
        pass
    return mutated(content, dice)

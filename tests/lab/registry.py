"""The lab's mirrors: a real registry under every mirror's name, and one that misbehaves."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.lab import network
from tests.lab.host import LabError, empty_cgroup, run, start, state_folder
from tests.lab.images import push_all

FLAKY_NAME = "flaky.lab.test"
MODES = (
    "ok", "hang", "sluggish", "stale", "portal", "401", "403", "403-blobs", "404", "429", "500",
    "token", "token-403", "token-useless", "token-nowhere", "led-nowhere", "moved", "corrupt",
    "die", "expired", "stranger", "basic", "client",
)  # fmt: skip
FLAKY_NAMES = (FLAKY_NAME, *(f"{mode}.{FLAKY_NAME}" for mode in MODES), "othername.lab.test")
"""The misbehaving mirror's names; the last is one that its certificate does not have."""
_CONFIG = """\
version: 0.1
log: {{level: info, accesslog: {{disabled: false}}, formatter: json}}
storage: {{filesystem: {{rootdirectory: {storage}}}, delete: {{enabled: true}}}}
http:
  addr: {address}
{tls}"""
_TLS = """\
  tls: {{certificate: {folder}/server.crt, key: {folder}/server.key}}
"""
_LINE = re.compile(
    r"^(?P<remote>\S+) - - \[(?P<time>[^]]+)\] "
    r'"(?P<method>\S+) (?P<path>\S+) [^"]*" (?P<status>\d+)'
)


@dataclass(frozen=True, slots=True)
class Access:
    """One request that a mirror has answered; `time` is whole seconds since the epoch."""

    time: float
    remote: str
    method: str
    path: str
    status: int


def mirror_names() -> tuple[str, ...]:
    """Return the host names that mirrors.yaml mentions."""
    default = Path(__file__).parents[2] / "mirrors.yaml"
    path = Path(os.environ.get("FLEET_LAB_MIRRORS", default))
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise LabError(f"the lab takes the mirrors' names from {path}: {error.strerror}") from error
    text = "\n".join(line.split(" #")[0] for line in lines)
    said = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found = re.findall(r"https?://([a-z0-9.-]+)", "\n".join(said))
    return tuple(dict.fromkeys((*found, "registry.lab.test")))


def make_authority(folder: Path) -> str:
    """Make the lab's certificate authority and one certificate for every name; return the CA."""
    folder.mkdir(parents=True, exist_ok=True)
    wild = f"*.{FLAKY_NAME}"
    names = ",".join(f"DNS:{name}" for name in (*mirror_names(), FLAKY_NAME, wild))
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    ca = (folder / "ca.crt", folder / "ca.key")
    run("openssl", "req", "-x509", *key, "-keyout", ca[1], "-out", ca[0], "-days", "30",
        "-subj", "/CN=fleet lab CA")  # fmt: skip
    run("openssl", "req", *key, "-keyout", folder / "server.key", "-out", folder / "server.csr",
        "-subj", "/CN=fleet lab")  # fmt: skip
    (folder / "names").write_text(f"subjectAltName={names}\n")
    run("openssl", "x509", "-req", "-in", folder / "server.csr", "-CA", ca[0], "-CAkey", ca[1],
        "-CAcreateserial", "-days", "30", "-extfile", folder / "names",
        "-out", folder / "server.crt")  # fmt: skip
    _make_bad_ones(folder)
    return ca[0].read_text()


def _make_bad_ones(folder: Path) -> None:
    """Make a certificate that is out of its time, and one that an unknown hand has signed."""
    signed = ("openssl", "x509", "-req", "-in", folder / "server.csr", "-CAcreateserial",
              "-extfile", folder / "names")  # fmt: skip
    ca = ("-CA", folder / "ca.crt", "-CAkey", folder / "ca.key")
    # "-days 0" is out of its time at once, and every openssl knows it.
    run(*signed, *ca, "-days", "0", "-out", folder / "expired.crt")
    run("openssl", "x509", "-req", "-in", folder / "server.csr", "-signkey", folder / "server.key",
        "-days", "30", "-extfile", folder / "names", "-out", folder / "stranger.crt")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry in a namespace of its own; `name` is `registry` or `flaky`."""

    name: str
    address: str

    @property
    def folder(self) -> Path:
        """Return where it keeps its files and its logs."""
        return state_folder() / self.name

    def start(self, tls: Path) -> None:
        """Start it, encrypted on port 443 and plain on port 80."""
        self.folder.mkdir(parents=True, exist_ok=True)
        network.make_namespace(self.name, self.address)
        for port in (443, 80):
            log = self.folder / f"{port}.log"
            inside = ("ip", "netns", "exec", network.namespace(self.name))
            start((*inside, *self._command(port, tls)), log, group=self.name)
        self._wait()

    def _command(self, port: int, tls: Path) -> tuple[str, ...]:
        if self.name == "flaky":
            script = Path(__file__).with_name("flaky.py")
            words = (self.address, str(port), network.REGISTRY, str(self.folder), str(tls))
            return (sys.executable, str(script), *words)
        config = self.folder / f"{port}.yml"
        part = _TLS.format(folder=tls) if port == 443 else ""
        place = f"{self.address}:{port}"
        storage = self.folder / "storage"
        config.write_text(_CONFIG.format(storage=storage, address=place, tls=part))
        return (shutil.which("docker-registry") or "docker-registry", "serve", str(config))

    def _wait(self, seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not self.answers():
            if time.monotonic() > deadline:
                raise LabError(f"{self.name} does not answer at {self.address}")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Say whether both ports take connections."""
        try:
            for port in (443, 80):
                socket.create_connection((self.address, port), 1).close()
        except OSError:
            return False
        return True

    def fill(self) -> None:
        """Push the lab's images."""
        push_all(self.address)

    def mode(self, name: str, client: str = "") -> None:
        """Tell the flaky registry how to behave from the next request on, towards one or all."""
        target = self.folder / (f"mode-{client}.json" if client else "mode.json")
        half = target.with_suffix(".half")
        half.write_text(json.dumps({"mode": name}))
        half.rename(target)

    def modes(self, repositories: Mapping[str, str]) -> None:
        """Tell the flaky registry how to behave over some repositories, towards everybody."""
        target = self.folder / "repositories.json"
        half = target.with_suffix(".half")
        half.write_text(json.dumps(dict(repositories)))
        half.rename(target)

    def access(self, since: float = 0) -> list[Access]:
        """Return the requests that were answered since then, the oldest first."""
        found = (each for log in self.folder.glob("*.log") for each in _lines(log))
        return sorted((each for each in found if each.time >= int(since)), key=lambda a: a.time)

    def remove(self) -> None:
        """End it."""
        empty_cgroup(self.name)
        network.remove_namespace(self.name, self.address)


def _lines(log: Path) -> Iterator[Access]:
    for line in log.read_text(errors="replace").splitlines():
        if match := _LINE.match(line):
            stamp = datetime.strptime(match["time"], "%d/%b/%Y:%H:%M:%S %z")
            place = (match["remote"], match["method"], match["path"], int(match["status"]))
            yield Access(stamp.timestamp(), *place)

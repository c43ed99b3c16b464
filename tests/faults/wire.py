"""Faults on the way: a cut cable, a reboot, an sshd that dies, is full, or hangs."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

from tests.faults.broken import end
from tests.faults.lane import GUARD, Lane
from tests.support.fleet import Fleet

_KILL_SSHD = """
for each in /proc/[0-9]*; do
    case $(cat $each/comm 2>/dev/null) in sshd*) kill -9 ${each#/proc/} ;; esac
done
sleep 0.2
systemctl reset-failed ssh 2>/dev/null
systemctl start ssh
"""


def cut(lane: Lane) -> list[int]:
    """Pull the node's cable at a random instant; plug it in before its guard fires, or after."""
    running = lane.start()
    lane.instant(running)
    lane.node.cut()
    try:
        late = lane.dice.random() < 0.5
        time.sleep(GUARD + 4 if late else lane.dice.uniform(0.5, 4))
    finally:
        lane.node.heal()
    return [end(running), *lane.go_on()]


def rebooted(lane: Lane) -> list[int]:
    """Pull the node's plug at a random instant and boot it again."""
    running = lane.start()
    lane.instant(running)
    lane.node.reboot()
    return [end(running), *lane.go_on()]


def sshd_killed(lane: Lane) -> list[int]:
    """Kill sshd with all its sessions at a random instant, and start it again."""
    running = lane.start()
    lane.instant(running)
    lane.node.sh(_KILL_SSHD)
    return [end(running), *lane.go_on()]


def sshd_full(lane: Lane) -> list[int]:
    """Fill MaxStartups with connections that say nothing, for some seconds."""
    running = None
    if lane.dice.random() < 0.5:
        running = lane.start()
        lane.instant(running)
    held = []
    for _ in range(5):
        with suppress(OSError):
            held.append(socket.create_connection((lane.node.address, 22), 2))
    running = running or lane.start()
    time.sleep(lane.dice.uniform(1, 6))
    for each in held:
        each.close()
    return [end(running), *lane.go_on()]


def hangs_after_auth(lane: Lane) -> list[int]:
    """Let one of the connections hang once its key was taken."""
    which = lane.dice.choice((1, 2, 3, 4))
    return _hanging(lane, which, lane.dice.randint(3200, 5200))


def hangs_in_upload(lane: Lane) -> list[int]:
    """Let the connection that uploads hang in the middle of it."""
    return _hanging(lane, 2, lane.dice.randint(5200, 22000))


def _hanging(lane: Lane, which: int, after: int) -> list[int]:
    with Stall(lane.node.address, which, after) as stall:
        known = (lane.lab.ssh_config.parent / "known_hosts").read_text().splitlines()
        key = next(line.split(" ", 1)[1] for line in known if lane.node.address in line)
        (lane.folder / "known_hosts").write_text(f"[127.0.0.1]:{stall.port} {key}\n")
        config = (
            f"Host {lane.node.address}\n  HostName 127.0.0.1\n  Port {stall.port}\n  User ops\n"
            f"  IdentityFile {lane.lab.key}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {lane.folder}/known_hosts\n"
        )
        (lane.folder / "ssh_config").write_text(config)
        before = lane.fleet
        lane.fleet = Fleet(lane.folder, str(lane.folder / "ssh_config"))
        try:
            return [end(lane.start()), *lane.go_on()]
        finally:
            lane.fleet = before


class Stall:
    """A way to a node on which one connection stops after some bytes, and says nothing of it."""

    def __init__(self, address: str, which: int, after: int) -> None:
        self._address, self._which, self._after = address, which, after
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self._count = 0
        self._open: list[socket.socket] = []

    def __enter__(self) -> Stall:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._door, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._door.accept()
                self._count += 1
                stalls = self._count == self._which
                server = socket.create_connection((self._address, 22), 5)
                server.settimeout(None)
                self._open += [client, server]
                bound = threading.Event()
                for pair in ((client, server, stalls), (server, client, False)):
                    threading.Thread(target=self._pump, args=(*pair, bound), daemon=True).start()

    def _pump(
        self, source: socket.socket, target: socket.socket, counts: bool, hung: threading.Event
    ) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(1 << 14):
                passed += len(data)
                if counts and passed > self._after:
                    data = data[: max(0, len(data) - (passed - self._after))]
                    hung.set()
                    target.sendall(data)
                    return
                if hung.is_set():
                    return
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

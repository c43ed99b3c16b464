"""Faults on the way: a cut cable, a reboot, an sshd that dies, is full, or hangs."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

from tests.faults.broken import end
from tests.faults.lane import GUARD, Lane
from tests.support.fleet import Fleet
from tests.support.wire import Manner, Ways

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
    """Let the connection of a pass, or the one that confirms, hang once its key was taken."""
    which = lane.dice.choice((1, 2))
    return _hanging(lane, which, lane.dice.randint(3200, 5200))


def hangs_in_upload(lane: Lane) -> list[int]:
    """Let the connection hang in the middle of the upload: behind login and probe, 16 kB."""
    return _hanging(lane, 1, lane.dice.randint(17_000, 34_000))


def _hanging(lane: Lane, which: int, after: int) -> list[int]:
    manner = Manner(stalls=which, after=after)
    with Ways(lane.lab, lane.folder / "way", [lane.node], manner) as ways:
        before = lane.fleet
        lane.fleet = Fleet(lane.folder, str(ways.ssh_config))
        try:
            return [end(lane.start()), *lane.go_on()]
        finally:
            lane.fleet = before

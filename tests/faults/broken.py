"""Faults of the workstation: a killed fleet, two at once, a full disk, a wrong clock."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.faults.claims import newest
from tests.faults.lane import Lane
from tests.support.fleet import Fleet

_CLOCK = """
printf '#!/bin/sh\\nexec /bin/date -d "{days} day" "$@"\\n' >/usr/local/bin/date
chmod 755 /usr/local/bin/date
find /etc/containerd -exec touch -d '{days} day' {{}} +
"""


def end(running: subprocess.Popen[str], seconds: float = 400) -> int:
    """Wait for the end of a call; return its exit code."""
    running.communicate(timeout=seconds)
    return running.returncode


def killed(lane: Lane) -> list[int]:
    """Kill fleet with signal 9 at a random instant; now and then the resuming one as well."""
    running = lane.start()
    lane.instant(running)
    running.kill()
    end(running)
    if lane.dice.random() < 0.25:
        again = lane.fleet.start("resume", "-y", "--json")
        lane.instant(again)
        again.kill()
        end(again)
    return lane.go_on()


def two_at_once(lane: Lane) -> list[int]:
    """Start the same change from two workstations at the same instant."""
    other = lane.folder / "other"
    other.mkdir(exist_ok=True)
    for name in ("inventory.yaml", "mirrors.yaml"):
        shutil.copy(lane.folder / name, other / name)
    second = Fleet(other, lane.fleet.ssh_config)
    pair = [lane.start(), second.start(*lane.words())]
    codes = [end(each) for each in pair]
    if 5 in codes or sorted(codes)[0] != 0 or sorted(codes)[1] not in {0, 1, 3}:
        raise AssertionError(f"two at once ended with {codes}")
    # One that came when the other had ended found nothing to do, and has begun no rollout.
    if codes[0] != 0 or newest(lane.journal) == lane.known:
        lane.spoke = other / ".fleet"
        codes.reverse()
    codes.sort(reverse=True)  # the one that won has the last word
    return codes


def journal_full(lane: Lane) -> list[int]:
    """Fill the disk under the journal before the start, or at a random instant."""
    lane.journal.mkdir(exist_ok=True)
    aside = lane.folder / "aside"
    shutil.copytree(lane.journal, aside, dirs_exist_ok=True)
    size = sum(each.stat().st_size for each in aside.iterdir()) // 1024 + 256
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", lane.journal], check=True
    )
    try:
        shutil.copytree(aside, lane.journal, dirs_exist_ok=True)
        early = lane.dice.random() < 0.3
        running = None if early else lane.start()
        if running is not None:
            lane.instant(running)
        _stuff(lane.journal / "stuffing")
        codes = [end(running or lane.start())]
        (lane.journal / "stuffing").unlink()
        codes += lane.go_on()
        shutil.copytree(lane.journal, aside, dirs_exist_ok=True)
    finally:
        subprocess.run(["umount", "-l", lane.journal], check=True)
    shutil.copytree(aside, lane.journal, dirs_exist_ok=True)
    shutil.rmtree(aside)
    return codes


def _stuff(path: Path) -> None:
    with suppress(OSError), path.open("wb", buffering=0) as target:
        while True:
            target.write(b"x" * 512)


def clock_off(lane: Lane) -> list[int]:
    """Let the node's clock and its files be a day off, and kill fleet in the middle or not.

    Nodes share this machine's clock, so it is the node's `date` that lies.
    """
    days = lane.dice.choice(("+1", "-1"))
    lane.node.sh(_CLOCK.format(days=days))
    try:
        running = lane.start()
        if lane.dice.random() < 0.5:
            return [end(running)]
        lane.instant(running)
        running.kill()
        end(running)
        return lane.go_on()
    finally:
        lane.node.sh("rm /usr/local/bin/date")

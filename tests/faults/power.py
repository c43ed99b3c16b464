"""Power cuts: the node's disk stops at an instant, and what was not on it by then is lost.

All that a node writes lies on an ext4 image on a loop device. The file system is shut down without
its log being flushed (FS_IOC_SHUTDOWN), as xfstests do it: nothing of the page cache reaches the
image any more. Then the node ends, the image is mounted anew, which replays its journal, and the
node boots from it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.broken import end
from tests.faults.lane import Lane
from tests.lab.host import run
from tests.lab.node import LabNode

_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = struct.pack("I", 2)
_PARTS = ("upper", "work")
_EMPTY = """
[ -d /var/lib/fleet ] || exit 0
cd /var/lib/fleet
set -- pending/* last/* generations/*/*
for each in state.json generations/*/files/* "$@"; do
    case $each in
    generations/*.tmp/* | */after | */files | */folders | */links | */why | */laid) continue ;;
    esac
    [ ! -f "$each" ] || [ -s "$each" ] || printf '%s ' "$each"
done
"""


@contextmanager
def on_a_disk(lane: Lane) -> Iterator[None]:
    """Put all that the node writes on a disk of its own, and back at the end."""
    node = lane.node
    _halt(node)
    disk = node.folder / "disk"
    disk.mkdir(exist_ok=True)
    image = disk.with_suffix(".img")
    run("truncate", "-s", "1G", image)
    run("mkfs.ext4", "-q", "-F", image)
    run("mount", "-o", "loop", image, disk)
    try:
        _move(node, "", "disk/")
        for part in _PARTS:
            (node.folder / part).symlink_to(disk / part)
        _boot(node)
        yield
    finally:
        _halt(node)
        for part in _PARTS:
            (node.folder / part).unlink(missing_ok=True)
        _move(node, "disk/", "")
        _unmount(disk)
        image.unlink()
        disk.rmdir()
        _boot(node)


def _unmount(disk: Path) -> None:
    """Unmount the disk once the last process of the halted node has let go of it."""
    until = time.monotonic() + 20
    while run("umount", disk, check=False).returncode and time.monotonic() < until:
        time.sleep(0.5)
    if disk.is_mount():
        run("umount", disk)


def cut(lane: Lane) -> list[int]:
    """Cut the node's power at a random instant and boot it again; name what came back empty."""
    disk = lane.node.folder / "disk"
    run("sync", "-f", disk)
    running = lane.start()
    lane.instant(running)
    handle = os.open(disk, os.O_RDONLY)
    try:
        fcntl.ioctl(handle, _SHUTDOWN, _NO_LOG_FLUSH)
    finally:
        os.close(handle)
    _halt(lane.node)
    _swap_disk(disk)
    _boot(lane.node)
    empty = lane.node.sh(_EMPTY).stdout
    codes = [end(running), *lane.go_on()]
    if empty:
        raise AssertionError(f"empty after the cut: {empty}")
    return codes


def _swap_disk(disk: Path) -> None:
    """Mount a copy of the image: the old one may live on in the mount namespace of another node."""
    image, copy = disk.with_suffix(".img"), disk.with_suffix(".copy")
    run("umount", disk)
    run("cp", "--sparse=always", image, copy)
    copy.replace(image)
    run("mount", "-o", "loop", image, disk)


def _halt(node: LabNode) -> None:
    node.stop()
    run("umount", node.root)


def _boot(node: LabNode) -> None:
    node.mount()
    node.start()
    node.wait()


def _move(node: LabNode, old: str, new: str) -> None:
    """Copy the node's layer from one disk to the other, and take it off the first."""
    source, target = node.folder / f"{old}upper", node.folder / f"{new}upper"
    run("cp", "-a", source, target)
    (node.folder / f"{new}work").mkdir()
    for part in _PARTS:
        shutil.rmtree(node.folder / f"{old}{part}")

"""Faults of the node: disks that are full or read-only, and a containerd that does not behave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.faults.broken import end
from tests.faults.lane import Lane

_COVER = """
set -e
place={place}
mkdir -p $place
rm -rf /run/cover
cp -a $place /run/cover
mount -t tmpfs -o mode=755,size=24m{inodes} tmpfs $place
cp -a /run/cover/. $place/
"""
_FULL = """
dd if=/dev/zero of={place}/stuffing bs=64k 2>/dev/null
dd if=/dev/zero of={place}/stuffing2 bs=512 2>/dev/null
true
"""
_NO_INODES = """
mkdir -p {place}/stuffing && cd {place}/stuffing || exit 0
number=0
while true >$number; do number=$((number + 1)); done 2>/dev/null
true
"""
# A file that is open for writing at that very instant keeps a disk from becoming read-only.
_READ_ONLY = """
for _ in $(seq 100); do
    said=$(mount -o remount,ro {place} 2>&1) && exit 0
    sleep 0.05
done
echo "$said" >&2
exit 1
"""
_HEAL = "mount -o remount,rw {place}; rm -rf {place}/stuffing {place}/stuffing2"

_WRAP = """
set -e
cat >/run/wrapper <<'END'
#!/bin/sh
if [ $# -eq 0 ] && ! cmp -s /etc/containerd/config.toml /root/config.toml; then
    {trap}
fi
exec /usr/bin/containerd.real "$@"
END
chmod 755 /run/wrapper
mv /usr/bin/containerd /usr/bin/containerd.real
cp /run/wrapper /usr/bin/containerd
"""
# Tries follow each other faster than systemd lets a unit be restarted.
_RESTART = "systemctl reset-failed containerd; systemctl restart containerd"
_UNWRAP = f"mv -f /usr/bin/containerd.real /usr/bin/containerd; {_RESTART}"
_NO_CRI = (
    '{ echo \'disabled_plugins = ["io.containerd.grpc.v1.cri", "cri"]\';'
    " grep -v ^disabled_plugins /etc/containerd/config.toml; } >/run/no-cri.toml;"
    " set -- -c /run/no-cri.toml"
)
_NO_CONTENT = """
ctr -n k8s.io images ls -q | while read -r each; do ctr -n k8s.io images rm --sync "$each"; done
ctr -n k8s.io content ls -q | while read -r each; do ctr -n k8s.io content rm "$each"; done
true
"""
_DIES = "(sleep 5; kill -9 $$) >/dev/null 2>&1 &"


@contextmanager
def covered(lane: Lane, place: str, inodes: str = "") -> Iterator[None]:
    """Put a folder of the node on a small disk of its own, with what is in it."""
    before = lane.at
    lane.node.sh(_COVER.format(place=place, inodes=inodes))
    try:
        yield
        lane.bring(before)
    finally:
        lane.node.sh(f"umount -l {place}; rm -rf /run/cover")


def disk(place: str, harm: str, inodes: str = "") -> tuple[Callable[[Lane], list[int]], Around]:
    """Return the fault that harms a disk before the start, or at a random instant."""

    def work(lane: Lane) -> list[int]:
        running = None
        if lane.dice.random() < 0.6:
            running = lane.start()
            lane.instant(running)
        lane.node.sh(harm.format(place=place))
        try:
            codes = [end(running or lane.start())]
        finally:
            lane.node.sh(_HEAL.format(place=place))
        return codes + lane.go_on()

    return work, lambda lane: covered(lane, place, inodes)


def daemon(trap: str, *flags: str) -> tuple[Callable[[Lane], list[int]], Around]:
    """Return the fault of a containerd that misbehaves as soon as the new config is there."""

    def work(lane: Lane) -> list[int]:
        return [end(lane.start(*flags))]

    @contextmanager
    def around(lane: Lane) -> Iterator[None]:
        lane.node.sh(f"{_WRAP.replace('{trap}', trap)}{_RESTART}")
        try:
            yield
        finally:
            lane.node.sh(_UNWRAP)

    return work, around


def mirror(mode: str, *flags: str) -> tuple[Callable[[Lane], list[int]], Around]:
    """Return the fault of a mirror, the only one there is, that fails the verification pull."""

    def work(lane: Lane) -> list[int]:
        lane.node.sh(_NO_CONTENT)  # what is there already would be resolved and not downloaded
        lane.lab.flaky.mode(mode, lane.node.address)
        return [end(lane.start(*flags))]

    @contextmanager
    def around(lane: Lane) -> Iterator[None]:
        path = lane.folder / "mirrors.yaml"
        shipped = path.read_text()
        path.write_text(
            "version: 1\nmirrors:\n  docker.io:\n    endpoints: [https://flaky.lab.test]\n"
            "    verify: docker.io/library/busybox:1.36\n"
        )
        lane.lab.flaky.mode("ok", lane.node.address)
        lane.learn("flaky")
        lane.mirrors = "flaky"
        try:
            yield
            lane.lab.flaky.mode("ok", lane.node.address)
            lane.bring("old")
        finally:
            path.write_text(shipped)
            lane.mirrors = "shipped"

    return work, around


Around = Callable[[Lane], AbstractContextManager[None]]
etc_full = disk("/etc", _FULL)
var_full = disk("/var/lib/fleet", _FULL)
etc_read_only = disk("/etc", _READ_ONLY)
etc_inodes = disk("/etc", _NO_INODES, ",nr_inodes=1500")
# The generations of all tries before are there too, and must fit.
var_inodes = disk(
    "/var/lib/fleet", _NO_INODES, ",nr_inodes=$(($(find /var/lib/fleet | wc -l) + 300))"
)
not_starting = daemon("exit 1")
no_cri = daemon(_NO_CRI, "--health-timeout", "6")
dies_later = daemon(_DIES, "--soak", "6", "--guard", "60")
slow_start = daemon("sleep 60", "--guard", "180")
mirror_dies = mirror("die")
mirror_hangs = mirror("hang", "--pull-timeout", "4")
mirror_forbids = mirror("403-blobs")

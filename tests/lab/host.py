"""What the lab asks of the machine it runs on: root, Linux, a few tools; processes and folders."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "ssh-keygen": "openssh-client",
    "openssl": "openssl",
    "docker-registry": "docker-registry",
    "nsenter": "util-linux",
}
_NSPAWN_SETTINGS = {
    "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
    "SYSTEMD_NSPAWN_LOCK": "0",  # a killed one would leave its lock file behind
    "SYSTEMD_SECCOMP": "0",
}
LAST_NUMBER = 255  # a lab's number is a part of its IPv4 addresses


class LabError(Exception):
    """Something that a person must mend; one sentence."""


def lab_number() -> int:
    """Return which of this machine's labs is meant: several may be up side by side.

    Each worker of pytest-xdist has a lab of its own, 100 numbers above that of the worker before.
    """
    text = os.environ.get("FLEET_LAB_NUMBER", "0")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    if not text.isdigit() or (number := int(text) + 100 * int(worker)) > LAST_NUMBER:
        raise LabError(f"FLEET_LAB_NUMBER is a number from 0 to {LAST_NUMBER}, not {text!r}")
    return number


def lab_name() -> str:
    """Name the lab: its cgroup, its folder and what else must not meet another lab's."""
    return f"fleet-lab{lab_number() or ''}"


def machine_name(node: str) -> str:
    """Name a node's machine: labs side by side have nodes of the same names."""
    return f"{node}-lab{lab_number()}" if lab_number() else node


def cache_folder() -> Path:
    """Return where root filesystems and crictl are kept from one lab to the next."""
    return Path(os.environ.get("FLEET_LAB_CACHE", "/var/cache/fleet-lab"))


def state_folder() -> Path:
    """Return where a running lab keeps everything that `down` removes."""
    return Path(f"{os.environ.get('FLEET_LAB_STATE', '/var/lib/fleet-lab')}{lab_number() or ''}")


def require_host() -> None:
    """Raise a LabError unless this machine can boot nodes."""
    if not sys.platform.startswith("linux"):
        raise LabError("the lab boots real nodes with systemd-nspawn, so it needs Linux")
    if os.geteuid() != 0:
        raise LabError("the lab boots real nodes, so it needs root: run it with sudo")
    missing = sorted({package for tool, package in PACKAGES.items() if not shutil.which(tool)})
    if missing:
        raise LabError(f"the lab needs more tools: apt-get install {' '.join(missing)}")


@contextmanager
def exclusive(lock: str) -> Iterator[None]:
    """Hold a lock of the cache: labs side by side do not build the same thing at once."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / lock).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def say(text: str, began: float = time.monotonic()) -> None:
    """Tell the person what goes on, with the seconds since the start."""
    print(f"[{time.monotonic() - began:6.1f} s] {text}", file=sys.stderr, flush=True)


def run(
    *argv: str | Path, check: bool = True, stdin: str | None = None, seconds: float = 600
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; raise a LabError with its last words where it fails."""
    words = [str(word) for word in argv]
    done = subprocess.run(
        words, input=stdin, capture_output=True, text=True, timeout=seconds, check=False
    )
    if check and done.returncode != 0:
        last = " ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise LabError(f"`{' '.join(words[:6])}` failed ({done.returncode}): {last}")
    return done


def start(argv: Sequence[str | Path], log: Path, *, group: str) -> None:
    """Start a process that outlives this one, inside a cgroup-v2 group of its own."""
    procs = make_cgroup(group) / "cgroup.procs"
    entry = 'echo $$ >"$1"; shift; exec "$@"'
    words = ("setsid", "--fork", "sh", "-c", entry, "sh", procs, *argv)
    environment = {**os.environ, **_NSPAWN_SETTINGS}
    with log.open("ab") as out:
        subprocess.run(
            [str(word) for word in words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environment,
            cwd="/",
            check=True,
        )


def cgroup_root() -> Path:
    """Return the cgroup-v2 tree: its own place on a hybrid host."""
    unified = Path("/sys/fs/cgroup/unified")
    return unified if unified.is_dir() else Path("/sys/fs/cgroup")


def make_cgroup(name: str) -> Path:
    """Make one group of the lab."""
    group = cgroup_root() / lab_name() / name
    group.mkdir(parents=True, exist_ok=True)
    return group


def cgroup_processes(group: Path) -> list[int]:
    """List every process below a group."""
    found: list[int] = []
    for folder in (group, *_folders(group)):
        try:
            found += [int(pid) for pid in (folder / "cgroup.procs").read_text().split()]
        except OSError:
            continue
    return [pid for pid in found if pid > 0]


def empty_cgroup(name: str, seconds: float = 10) -> None:
    """End every process of a group, then remove the group."""
    group = cgroup_root() / lab_name() / name
    deadline = time.monotonic() + seconds
    while group.is_dir() and time.monotonic() < deadline:
        for pid in cgroup_processes(group):
            kill(pid)
        if remove_cgroup(group):
            return
        time.sleep(0.05)


def remove_traces(name: str = "") -> None:
    """Remove the empty folders that systemd-nspawn leaves outside the cgroup-v2 tree."""
    # On a hybrid host it makes the same groups in systemd's v1 tree.
    twin = Path("/sys/fs/cgroup/systemd") / lab_name() / name
    deadline = time.monotonic() + 2
    while not remove_cgroup(twin) and time.monotonic() < deadline:
        time.sleep(0.05)
    if name:
        with contextlib.suppress(OSError):
            Path("/run/systemd/nspawn/propagate", machine_name(name)).rmdir()


def remove_cgroup(group: Path) -> bool:
    """Remove a group and those below it; say whether it is gone."""
    try:
        for child in sorted(_folders(group), key=lambda path: -len(path.parts)):
            child.rmdir()
        group.rmdir()
    except OSError:
        return not group.exists()
    return True


def _folders(group: Path) -> Iterator[Path]:
    for parent, names, _ in os.walk(group):
        yield from (Path(parent) / name for name in names)


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Signal a process that may be gone already."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def unmount_below(folder: Path) -> None:
    """Unmount everything below a folder, the deepest first."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    points = [line.split(" ")[1].encode().decode("unicode_escape") for line in lines]
    for point in sorted((p for p in points if Path(p).is_relative_to(folder)), key=len)[::-1]:
        run("umount", "-l", point, check=False)


def remove_folder(folder: Path) -> None:
    """Remove a folder of the lab, never crossing into another filesystem."""
    if folder.exists():
        unmount_below(folder)
        run("rm", "-rf", "--one-file-system", "--", folder)

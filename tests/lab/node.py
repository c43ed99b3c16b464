"""A throwaway node: a Debian of its own under systemd-nspawn, with systemd, sshd, containerd."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lab import network
from tests.lab.crictl import crictl_for
from tests.lab.host import (
    LabError,
    cgroup_processes,
    cgroup_root,
    empty_cgroup,
    lab_name,
    machine_name,
    remove_folder,
    run,
    start,
    state_folder,
)
from tests.lab.rootfs import rootfs

_CRICTL = "usr/local/bin/crictl"
HOMES = ("/root", "/home/ops", "/home/pat")
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NSPAWN = (
    "systemd-nspawn",
    "--boot",
    "--quiet",
    "--register=no",
    "--keep-unit",
    "--capability=all",
    "--console=pipe",
    "--resolv-conf=off",
    "--timezone=off",
    "--link-journal=no",
)


@dataclass(frozen=True, slots=True)
class LabNode:
    """One node of the lab."""

    name: str
    suite: str
    address: str

    @property
    def folder(self) -> Path:
        """Return where the node's own files are kept."""
        return state_folder() / "nodes" / self.name

    @property
    def root(self) -> Path:
        """Return the node's root as this machine sees it, while the node is up."""
        return self.folder / "root"

    @property
    def has_crictl(self) -> bool:
        """Say whether the node was given a crictl."""
        return (self.folder / "upper" / _CRICTL).is_file()

    # -- life --------------------------------------------------------------------------------

    def prepare(self, hosts: str, authority: str, key: str, password: str) -> None:
        """Lay the node's files over its suite: host keys, logins, names, the lab's authority."""
        for name in ("upper", "work", "root", "containerd", "keys"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        host_key = self.folder / "keys" / "ssh_host_ed25519_key"
        if not host_key.exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.name, "-f", host_key)
        self.mount()
        for each in sorted(host_key.parent.iterdir()):
            _write(
                self.root / "etc/ssh" / each.name, each.read_bytes(), each.stat().st_mode & 0o777
            )
        _write(self.root / "etc/hostname", f"{self.name}\n".encode())
        _write(self.root / "etc/hosts", f"127.0.0.1 localhost {self.name}\n{hosts}".encode())
        _write(self.root / "etc/resolv.conf", b"")
        bundle = self.root / "etc/ssl/certs/ca-certificates.crt"
        _write(bundle, bundle.read_bytes() + authority.encode())
        for home in HOMES:
            self._let_in(self.root / home[1:], key)
        run("chroot", self.root, "chpasswd", stdin=f"pat:{password}\n")
        if binary := crictl_for(self.suite):
            shutil.copy2(binary, self.root / _CRICTL)

    def mount(self) -> None:
        """Lay the node's own files over its suite."""
        layers = (
            f"lowerdir={rootfs(self.suite)},upperdir={self.folder}/upper,workdir={self.folder}/work"
        )
        if not os.path.ismount(self.root):
            run("mount", "-t", "overlay", f"lab-{self.name}", "-o", layers, self.root)

    def _let_in(self, home: Path, key: str) -> None:
        owner = home.stat()
        folder = home / ".ssh"
        folder.mkdir(mode=0o700, exist_ok=True)
        _write(folder / "authorized_keys", key.encode(), 0o600)
        for path in (folder, folder / "authorized_keys"):
            os.chown(path, owner.st_uid, owner.st_gid)

    def start(self) -> None:
        """Boot the node; return at once."""
        command = (
            *_NSPAWN,
            f"--machine={machine_name(self.name)}",
            f"--hostname={self.name}",
            f"--directory={self.root}",
            f"--network-namespace-path=/run/netns/{network.namespace(self.name)}",
            f"--bind={self.folder}/containerd:/var/lib/containerd",
        )
        start(command, self.folder / "console.log", group=self.name)

    def wait(self, seconds: float = 90) -> None:
        """Wait until sshd answers and containerd is active."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._answers() and self._is_active():
                return
            time.sleep(0.1)
        last = (self.folder / "console.log").read_text(errors="replace").splitlines()[-5:]
        raise LabError(f"{self.name} did not come up within {seconds:.0f} s: {' | '.join(last)}")

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.address, 22), 1) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def _is_active(self) -> bool:
        done = self.sh("systemctl is-active containerd", check=False, seconds=10)
        return done.stdout.strip() == "active"

    def stop(self) -> None:
        """Pull the plug: end every process of the node."""
        empty_cgroup(self.name)

    def reboot(self) -> None:
        """Pull the plug and boot again, with the files as they are."""
        self.stop()
        self.start()
        self.wait()

    def wipe(self) -> None:
        """Throw away all that the node has written; it must be stopped."""
        run("umount", "-l", self.root, check=False)
        for name in ("upper", "work", "containerd"):
            remove_folder(self.folder / name)

    def remove(self) -> None:
        """End the node and remove its namespace and files."""
        self.stop()
        network.remove_namespace(self.name, self.address)
        remove_folder(self.folder)

    # -- a look inside -----------------------------------------------------------------------

    def pid(self) -> int:
        """Return the id of the node's first process, as this machine counts."""
        for pid in sorted(cgroup_processes(cgroup_root() / lab_name() / self.name)):
            if _is_first(pid):
                return pid
        raise LabError(f"{self.name} is not running; `up` starts it")

    def sh(
        self, script: str, *, check: bool = True, seconds: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell script as root inside the node, not over SSH."""
        try:
            inside = (
                "nsenter",
                "-t",
                str(self.pid()),
                "-m",
                "-u",
                "-i",
                "-n",
                "-p",
                "-C",
                "-r",
                "-w",
            )
        except LabError:
            if check:
                raise
            return subprocess.CompletedProcess((), 255, "", "not running")
        return run(*inside, "env", _PATH, "sh", "-c", script, check=check, seconds=seconds)

    def digests(self, *paths: str) -> dict[str, str]:
        """Describe every file below absolute node paths: mode, owner, SHA-256 or link target."""
        return {
            f"/{path.relative_to(self.root)}": _described(path)
            for start_at in paths
            for path in _walk(self.root / start_at.lstrip("/"))
        }

    def cut(self) -> None:
        """Pull the network cable."""
        network.set_link(self.address, up=False)

    def heal(self) -> None:
        """Plug the network cable in again."""
        network.set_link(self.address, up=True)


def _is_first(pid: int) -> bool:
    """Say whether a process is number 1 of a node: one level below us, unlike its containers."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    numbers = next(
        (line.split()[1:] for line in status.splitlines() if line.startswith("NSpid")), []
    )
    return len(numbers) == 2 and numbers[-1] == "1"


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def _walk(start_at: Path) -> Iterator[Path]:
    if start_at.is_symlink() or not start_at.is_dir():
        if start_at.is_symlink() or start_at.exists():
            yield start_at
        return
    for child in sorted(start_at.iterdir()):
        if child.name == "containerd" and child.parent.name == "lib":
            continue
        yield from _walk(child)


def _described(path: Path) -> str:
    about = path.lstat()
    if path.is_symlink():
        return f"link {path.readlink()}"
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "special"
    return f"{about.st_mode & 0o7777:o} {about.st_uid} {about.st_gid} {digest}"

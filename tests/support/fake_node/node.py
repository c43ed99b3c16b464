"""A fake node: fleet's own scripts run in a private tree, against a scripted containerd."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from tests.support.fake_node.commands import FOLDER, SCRIPT, Answer, CommandServer
from tests.support.fake_node.containerd import CONFIG, Containerd
from tests.support.fake_node.endpoint import Endpoint
from tests.support.fake_node.namespace import FakeNodeError, Namespace
from tests.support.fake_node.recorded import Recorded, recorded
from tests.support.fake_node.systemd import Systemd

GUARD_WANTED = "/etc/systemd/system/multi-user.target.wants/fleet-guard.service"
_AGE = 3600
"""Seconds since the files of a new node were written, as after its installation."""
_BOOT = """
for process in /proc/[0-9]*; do
    process=${process#/proc/}
    case $process in 1 | "$$" | "$(cat /.fake/keeper)") ;; *) kill -9 "$process" ;; esac
done 2>/dev/null
rm -rf /run/* /run/.[!.]*
mkdir -p /run/containerd
"""


class FakeNode:
    """A node that lives in this process and in a namespace of its own; it needs no privileges."""

    def __init__(self, name: str, suite: str) -> None:
        self.name, self.suite = name, suite
        self._folder = tempfile.TemporaryDirectory(prefix="fleet-fake-node-")
        folder = Path(self._folder.name)
        self._seed(folder / "seed", recorded(suite))
        (folder / "root").mkdir()
        try:
            self._namespace = Namespace(folder / "seed", folder / "root")
        except FakeNodeError:
            self._folder.cleanup()
            raise
        self.containerd = Containerd(self._namespace, recorded(suite))
        self.systemd = Systemd(self.containerd, self._run)
        self._server = CommandServer(
            self._namespace.root / FOLDER,
            {
                "containerd": self.containerd.command,
                "ctr": self.containerd.ctr,
                "crictl": self.containerd.crictl,
                "systemctl": self.systemd.systemctl,
                "systemd-run": self.systemd.systemd_run,
                "journalctl": self.systemd.journalctl,
                "hang-up": self._hang_up,
            },
        )
        self._endpoint = Endpoint(self._start_line)
        self.systemd.boot()

    @property
    def port(self) -> int:
        """Return the port of this machine on which the node answers SSH."""
        return self._endpoint.port

    def sh(
        self, script: str, *, check: bool = True, seconds: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell script as root inside, not over SSH."""
        process = self._namespace.start(("sh", "-c", script))
        out, err = process.communicate(timeout=seconds)
        done = subprocess.CompletedProcess(script, process.returncode, out.decode(), err.decode())
        assert not check or done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done

    def digests(self, *paths: str) -> dict[str, str]:
        """Describe every file below absolute paths: mode, owner, SHA-256 or link target."""
        root = self._namespace.root
        return {
            f"/{path.relative_to(root)}": self._describe(path)
            for start_at in paths
            for path in _walk(root / start_at.lstrip("/"))
        }

    def _describe(self, path: Path) -> str:
        if path.is_symlink():
            return f"link {path.readlink()}"
        about = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        owner, group = self._namespace.owner(about)
        return f"{about.st_mode & 0o7777:o} {owner} {group} {digest}"

    def pass_time(self, seconds: float) -> None:
        """Move the node's clock forward; first run the timers that are due by then."""
        self.systemd.pass_time(seconds)

    def reboot(self) -> None:
        """End all processes, drop /run and the timers, and start again with a new boot id."""
        self._endpoint.hang_up()
        self.systemd.shut_down()
        self.sh(_BOOT)
        (self._namespace.root / FOLDER / "boot_id").write_text(f"{uuid.uuid4()}\n")
        self._run_boot_guard()
        self.systemd.boot()

    def close(self) -> None:
        """End the node."""
        self._endpoint.close()
        self._server.close()
        self.containerd.stop()
        self._namespace.close()
        self._folder.cleanup()

    def _run_boot_guard(self) -> None:
        """Run what systemd would run before containerd, if fleet's unit is enabled."""
        unit = self.sh(f"cat {GUARD_WANTED} 2>/dev/null", check=False).stdout.splitlines()
        settings = dict(line.split("=", 1) for line in unit if "=" in line)
        condition = settings.get("ConditionPathExists")
        if condition and self.sh(f"test -e {condition}", check=False).returncode == 0:
            self.sh(settings["ExecStart"], check=False)

    def _hang_up(self, arguments: list[str]) -> Answer:
        del arguments
        self._endpoint.hang_up()
        return Answer()

    def _run(self, command: tuple[str, ...]) -> None:
        process = self._namespace.start(command)
        process.communicate(timeout=120)

    def _start_line(self, line: str) -> subprocess.Popen[bytes]:
        return self._namespace.start(("sh", "-c", line), stdin=subprocess.PIPE)

    def _seed(self, seed: Path, suite: Recorded) -> None:
        """Write the first files of a node: accounts, config, and scripted commands."""
        files = {
            "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
            "etc/group": "root:x:0:\n",
            "etc/machine-id": f"{uuid.uuid4().hex}\n",
            "etc/os-release": suite.os_release,
            CONFIG[1:]: suite.config,
            f"{FOLDER}/boot_id": f"{uuid.uuid4()}\n",
        }
        for path, text in files.items():
            (seed / path).parent.mkdir(parents=True, exist_ok=True)
            (seed / path).write_text(text)
        for folder in (
            "etc/systemd/system",
            "local/sbin",
            "local/bin",
            "run/containerd",
            "var/lib",
        ):
            (seed / folder).mkdir(parents=True)
        for name in (
            *("containerd", "ctr", "crictl", "systemctl", "systemd-run", "journalctl", "hang-up"),
        ):
            (seed / "local/bin" / name).write_text(SCRIPT)
            (seed / "local/bin" / name).chmod(0o755)
        before = time.time() - _AGE
        os.utime(seed / CONFIG[1:], (before, before))


def _walk(path: Path) -> Iterator[Path]:
    """Yield the plain files and links at and below a path."""
    if path.is_dir() and not path.is_symlink():
        for child in sorted(path.iterdir()):
            yield from _walk(child)
    elif path.is_file() or path.is_symlink():
        yield path

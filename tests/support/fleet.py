"""The fleet command as a user types it, in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab import Lab
from tests.lab.node import LabNode
from tests.lab.rootfs import rootfs


@dataclass(frozen=True)
class Ran:
    """How a call ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Return the document on stdout."""
        return json.loads(self.stdout)

    @property
    def text(self) -> str:
        """Return all that a person saw."""
        return self.stdout + self.stderr


@dataclass(frozen=True)
class Fleet:
    """Runs fleet in a folder with the files that ship."""

    folder: Path
    ssh_config: str

    def __call__(
        self,
        *words: str,
        stdin: str = "",
        seconds: float = 240,
        env: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run fleet to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "fleet", *words],
            cwd=self.folder,
            env={**os.environ, "FLEET_SSH_CONFIG": self.ssh_config, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str, stdin: int | None = None) -> subprocess.Popen[str]:
        """Start a call without waiting for its end."""
        return subprocess.Popen(
            [sys.executable, "-m", "fleet", *words],
            cwd=self.folder,
            env={**os.environ, "FLEET_SSH_CONFIG": self.ssh_config},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, name: str, text: str) -> None:
        """Write a file of the user's."""
        (self.folder / name).write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        """Edit a file of the user's."""
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))


_PRISTINE = """
set -e
for each in /var/lib/fleet/proof-* /run/fleet/proof-*; do # one that still ends would be disturbed
    tries=0
    while [ -e "$each" ] && kill -0 "${each##*-}" 2>/dev/null && [ "$tries" -lt 200 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
done
cmp -s /etc/containerd/config.toml /root/config.toml || dirty=1
[ -e /etc/containerd/certs.d ] || [ -e /etc/containerd/fleet ] && dirty=1
[ -e /var/lib/fleet ] || [ -e /etc/systemd/system/containerd.service.d ] && dirty=1
systemctl is-active -q containerd || dirty=1
systemctl stop 'fleet-guard-*.timer' 2>/dev/null || true
rm -f /etc/systemd/system/fleet-guard.service
rm -f /etc/systemd/system/multi-user.target.wants/fleet-guard.service
umount /var/lib/fleet 2>/dev/null || true
rm -rf /etc/containerd/* /etc/containerd/.fleet-* /var/lib/fleet /run/fleet /tmp/fleet-*
rm -rf /etc/systemd/system/containerd.service.d
cp -p /root/config.toml /etc/containerd/config.toml
chmod 644 /etc/containerd/config.toml
chmod +x /lib/systemd/systemd-socket-proxyd
[ -e /run/lab-crictl ] && mv /run/lab-crictl /usr/local/bin/crictl
[ -z "$dirty" ] || systemctl daemon-reload
systemctl reset-failed containerd
systemctl reset-failed 'fleet-guard*' 2>/dev/null || true
[ -z "$dirty" ] || systemctl restart containerd
until ctr version >/dev/null 2>&1; do sleep 0.05; done
for space in $(ctr namespaces ls -q); do
    images=$(ctr -n "$space" images ls -q)
    [ -z "$images" ] || ctr -n "$space" images rm --sync $images >/dev/null
    leases=$(ctr -n "$space" leases ls -q) # of pulls whose daemon was killed, for a day
    [ -z "$leases" ] || ctr -n "$space" leases rm --sync $leases >/dev/null
    [ -z "$(ctr -n "$space" content ls -q)" ]
    [ "$space" = k8s.io ] || ctr namespaces rm "$space" >/dev/null
done
"""


def remember(node: LabNode) -> None:
    """Lay the config.toml that a node's suite ships where the node finds it.

    It keeps its age: a file that is newer than the daemon counts as edited, and not loaded yet.
    """
    shutil.copy2(rootfs(node.suite) / "etc/containerd/config.toml", node.root / "root/config.toml")


def make_pristine(lab: Lab, nodes: Iterable[LabNode] | None = None) -> None:
    """Take away what a test left on some nodes, or on all."""
    lab.flaky.mode("ok")
    lab.flaky.modes({})
    lab.each(lambda node: node.sh(f"dirty=\n{_PRISTINE}"), nodes)


def main_pid(lab: Lab, name: str) -> int:
    """Return the process id of a node's containerd."""
    return int(lab.nodes[name].sh("systemctl show containerd -p MainPID --value").stdout)

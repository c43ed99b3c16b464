"""A farm of cheap nodes: one sshd on as many loopback addresses as wanted, a recorded answer each.

The sshd is a lab node's, on a port of its own, in that node's network namespace: nothing beyond
this machine can reach it, and its cost is that node's.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.work import MIX, ROOT
from fleet.core.model.node import Node
from fleet.node.probe import question
from fleet.node.script import Privilege
from tests.lab import Lab, network
from tests.lab.host import LabError
from tests.lab.node import LabNode

PORT = 2222
_UNIT = "bench-farm"
_CONFIG = f"""\
Port {PORT}
ListenAddress 0.0.0.0
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile /root/.ssh/authorized_keys
PermitRootLogin yes
StrictModes no
UsePAM no
UseDNS no
LogLevel QUIET
PidFile none
MaxStartups 4000
MaxSessions 10
ForceCommand cat >/dev/null; exec cat /root/bench-answer
"""
_START = f"""
systemctl stop {_UNIT} 2>/dev/null
systemctl reset-failed {_UNIT} 2>/dev/null
grep -q persourcepenalties /usr/sbin/sshd && echo 'PerSourcePenalties no' >>/root/bench-farm.conf
systemd-run --quiet --unit={_UNIT} -p TasksMax=infinity -p LimitNOFILE=65536 \\
    /usr/sbin/sshd -D -f /root/bench-farm.conf
"""


@dataclass(frozen=True, slots=True)
class Farm:
    """A farm that is up, with the key that it lets in."""

    host: LabNode
    key: Path
    known: str

    @property
    def inside(self) -> tuple[str, ...]:
        """Return the words before a command that is to run where the farm can be reached."""
        return ("nsenter", f"--net=/run/netns/{network.namespace(self.host.name)}")

    def lay_out(self, folder: Path, size: int) -> None:
        """Lay out what clients of so many nodes need."""
        shutil.copy(ROOT / "mirrors.yaml", folder)
        places = [f"127.1.{number // 250}.{number % 250 + 1}" for number in range(size)]
        lines = [f"        n{number}: {{host: {place}}}\n" for number, place in enumerate(places)]
        about = f"{{user: root, port: {PORT}, become: false, identity_file: {self.key}}}"
        text = f"all:\n  vars: {about}\n  hosts:\n{''.join(lines)}".replace("        n", "    n")
        (folder / "inventory.yaml").write_text(text)
        known = "".join(f"[{place}]:{PORT} {self.known}\n" for place in places)
        (folder / "known_hosts").write_text(known)
        (folder / "ssh_config").write_text(
            f"Host *\n  UserKnownHostsFile {folder}/known_hosts\n  IdentitiesOnly yes\n"
            f"  GlobalKnownHostsFile /dev/null\n  IdentityFile {self.key}\n"
        )
        (folder / "places").write_text("\n".join(places))
        script = question(Node(name="n0", host=places[0], become=False))
        privilege = Privilege(sudo=False)
        (folder / "line").write_text(script.command_line(privilege))
        (folder / "stdin").write_bytes(script.stdin(privilege))


@contextmanager
def farm() -> Iterator[Farm]:
    """Run the farm on a node of the lab that is up, or of a new one."""
    lab = _lab()
    host = next(node for node in lab.nodes.values() if node.suite in MIX)
    answer = ROOT / "tests" / "node" / "answers" / f"{host.suite}.txt"
    (host.root / "root/bench-answer").write_bytes(answer.read_bytes())
    (host.root / "root/bench-farm.conf").write_text(_CONFIG)
    host.sh(_START)
    try:
        _wait(host)
        key = (host.folder / "keys" / "ssh_host_ed25519_key.pub").read_text().split()
        yield Farm(host, lab.key, f"{key[0]} {key[1]}")
    finally:
        host.sh(f"systemctl stop {_UNIT}; rm -f /root/bench-*", check=False)


def _lab() -> Lab:
    try:
        lab = Lab.load()
        next(iter(lab.nodes.values())).pid()
    except LabError:
        return Lab.up(1, MIX)
    return lab if any(node.suite in MIX for node in lab.nodes.values()) else Lab.up(1, MIX)


def _wait(host: LabNode) -> None:
    until = time.monotonic() + 10
    while host.sh(f"ss -Hltn sport = :{PORT} | grep -q .", check=False).returncode:
        if time.monotonic() > until:
            raise LabError(f"the farm's sshd on {host.name} does not listen on port {PORT}")
        time.sleep(0.1)

"""Further sshds on lab nodes, what sshd wrote down, and an ssh_config of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab import Lab, network
from tests.lab.node import LabNode
from tests.support.fleet import Fleet

PORT = 2222
_UNIT = "odd-sshd"
_HANG_UP = """
main=$(systemctl show odd-sshd -p MainPID --value)
for each in $(cat "$(find /sys/fs/cgroup -path '*odd-sshd.service/cgroup.procs' | head -1)"); do
    [ "$each" = "$main" ] || kill -9 "$each"
done
"""


@contextmanager
def odd_sshd(node: LabNode, *options: str) -> Iterator[LabNode]:
    """Run a second sshd on a node, on an odd port, with options of its own."""
    words = " ".join(f"-o {option}" for option in ("LogLevel=VERBOSE", "PidFile=none", *options))
    node.sh(f"systemd-run -q --unit={_UNIT} /usr/sbin/sshd -D -p {PORT} {words}")
    node.sh(f"until ss -Hltn | grep -q ':{PORT} '; do sleep 0.05; done")
    try:
        yield node
    finally:
        node.sh(f"systemctl kill -s CONT {_UNIT}; systemctl stop {_UNIT}", check=False)


def hang_up(node: LabNode) -> None:
    """End every session of the second sshd, and leave it listening."""
    node.sh(_HANG_UP)


def said(node: LabNode, since: str = "", unit: str = _UNIT) -> list[str]:
    """Return what an sshd wrote down."""
    when = f"--since '{since}'" if since else "--boot"
    return node.sh(f"journalctl -u {unit} {when} -o cat").stdout.splitlines()


def accepted(node: LabNode, since: str, unit: str = "ssh") -> list[str]:
    """Return where the logins came from that an sshd let in."""
    lines = said(node, since, unit)
    return [
        line.split(" from ")[1].split()[0]
        for line in lines
        if line.startswith("Accepted publickey ")
    ]


def now(node: LabNode) -> str:
    """Return the node's time as its journal wants it."""
    return node.sh("date +'%F %T.%6N'").stdout.strip()


def add_config(lab: Lab, fleet: Fleet, text: str) -> None:
    """Give fleet an ssh_config that says `text` first, and then what the lab says."""
    path = fleet.folder / "ssh_config"
    path.write_text(f"{text}\n{lab.ssh_config.read_text()}")
    object.__setattr__(fleet, "ssh_config", str(path))


def known_line(lab: Lab, name: str, *names: str) -> str:
    """Return the line of known_hosts that knows a node's key under other names."""
    lines = (lab.ssh_config.parent / "known_hosts").read_text().splitlines()
    kind, key = next(line.split()[1:3] for line in lines if line.startswith(f"{name},"))
    return f"{','.join(names)} {kind} {key}\n"


def address6(lab: Lab, name: str) -> str:
    """Return a node's IPv6 address."""
    return network.address6(lab.nodes[name].address)

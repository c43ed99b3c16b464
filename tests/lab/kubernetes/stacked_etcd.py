"""A stacked etcd: a member on each of some nodes, with certificates as kubeadm lays them.

A member restarts with its node's containerd, and slowly, as those of k3s and RKE2 servers do.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab.kubernetes.binaries import Binaries
from tests.lab.kubernetes.pki import Authority
from tests.lab.node import LabNode

_KEYS = "etc/kubernetes/pki/etcd"
_UNIT = "etc/systemd/system/etcd.service"
_CLIENTS, _PEERS = 2379, 2380
_SERVICE = """\
[Unit]
Description=a member of the lab's etcd
PartOf=containerd.service

[Service]
Type=notify
ExecStartPre=/bin/sleep {delay}
ExecStart=/usr/local/bin/etcd {flags}
TimeoutStartSec=120

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True)
class StackedEtcd:
    """The members on these nodes, by name; `folder` holds the keys of their authority."""

    nodes: Mapping[str, LabNode]
    folder: Path
    programs: Binaries
    delay: float = 3
    """Seconds for which a member that restarts is down."""

    def start(self) -> None:
        """Start a member on each node; return once all of them serve."""
        authority = Authority(self.folder)
        authority.create()
        for node in self.nodes.values():
            self._install(node, authority)
        for node in self.nodes.values():  # members wait for each other
            node.sh("systemctl daemon-reload; systemctl start --no-block etcd")
        for node in self.nodes.values():
            node.sh("until systemctl is-active -q etcd; do sleep 0.1; done", seconds=60)

    def stop(self) -> None:
        """Remove the members with all that they have left on their nodes."""
        for node in self.nodes.values():
            node.sh(
                f"systemctl kill -s KILL etcd; systemctl stop etcd; rm -rf /{_UNIT} /var/lib/etcd"
                " /etc/kubernetes /usr/local/bin/etcd; systemctl daemon-reload",
                check=False,
            )

    def listening(self) -> set[str]:
        """Return the nodes whose member accepts connections."""
        return {name for name, node in self.nodes.items() if _accepts(node.address)}

    def _install(self, node: LabNode, authority: Authority) -> None:
        keys = node.root / _KEYS
        keys.mkdir(parents=True)
        shutil.copyfile(authority.certificate, keys / "ca.crt")
        for role in ("server", "peer"):
            issued = f"{role}-{node.name}"
            names = f"IP:{node.address},IP:127.0.0.1,DNS:{node.name},DNS:localhost"
            authority.issue(issued, f"/CN={node.name}", names)
            for kind in ("crt", "key"):
                shutil.copyfile(authority.folder / f"{issued}.{kind}", keys / f"{role}.{kind}")
        shutil.copyfile(self.programs.components, node.root / "usr/local/bin/etcd")
        (node.root / "usr/local/bin/etcd").chmod(0o755)
        service = _SERVICE.format(delay=self.delay, flags=" ".join(self._flags(node)))
        (node.root / _UNIT).write_text(service)

    def _flags(self, node: LabNode) -> tuple[str, ...]:
        """Return the arguments of kubeadm's static pod."""
        peers = {name: f"https://{each.address}:{_PEERS}" for name, each in self.nodes.items()}
        own = f"https://{node.address}:{_CLIENTS}"
        return (
            f"--advertise-client-urls={own}",
            f"--cert-file=/{_KEYS}/server.crt",
            "--client-cert-auth=true",
            "--data-dir=/var/lib/etcd",
            f"--initial-advertise-peer-urls={peers[node.name]}",
            "--initial-cluster=" + ",".join(f"{name}={url}" for name, url in peers.items()),
            f"--key-file=/{_KEYS}/server.key",
            f"--listen-client-urls=https://127.0.0.1:{_CLIENTS},{own}",
            f"--listen-peer-urls={peers[node.name]}",
            f"--name={node.name}",
            f"--peer-cert-file=/{_KEYS}/peer.crt",
            "--peer-client-cert-auth=true",
            f"--peer-key-file=/{_KEYS}/peer.key",
            f"--peer-trusted-ca-file=/{_KEYS}/ca.crt",
            f"--trusted-ca-file=/{_KEYS}/ca.crt",
            "--unsafe-no-fsync",  # a lab's data is thrown away
            "--log-level=warn",
        )


def _accepts(address: str) -> bool:
    try:
        with socket.create_connection((address, _CLIENTS), 0.5):
            return True
    except OSError:
        return False

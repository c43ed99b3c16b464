"""A lab node as a node of the cluster: kubelet, CNI, images, static pod."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.lab import network
from tests.lab.host import LabError, run
from tests.lab.kubernetes.control_plane import ControlPlane
from tests.lab.node import LabNode

SUITES = ("bookworm", "trixie", "forky")
"""The suites whose containerd speaks the CRI of a current kubelet."""
_FILES = Path(__file__).with_name("node")
_MANIFESTS = Path(__file__).with_name("manifests")
_NETWORK = """\
{{"cniVersion": "0.4.0", "name": "lab", "plugins": [{{"type": "ptp", "ipMasq": false, "mtu": 1500,
 "ipam": {{"type": "host-local", "ranges": [[{{"subnet": "{subnet}"}}]],
          "routes": [{{"dst": "0.0.0.0/0"}}]}}}}]}}
"""
_START = """
set -e
for archive in /root/*.images.tar; do
    ctr -n k8s.io images import "$archive" >/dev/null
done
systemctl daemon-reload
systemctl restart containerd # with the wrapped runc and the network
systemctl enable --quiet --now kubelet
"""


@dataclass(frozen=True, slots=True)
class Kubelet:
    """One node's kubelet; `number` is its zone and its part of the pods' network."""

    node: LabNode
    number: int
    plane: ControlPlane

    @property
    def subnet(self) -> str:
        """Return the network of the node's pods."""
        # 10.224.0.0/11 has room for 256 labs of 32 nodes.
        return f"10.{224 + network.NUMBER // 8}.{network.NUMBER % 8 * 32 + self.number}.0/24"

    def install(self, archive: Path) -> None:
        """Lay all files of a Kubernetes node; nothing of them runs yet."""
        if self.node.suite not in SUITES:
            raise LabError(f"{self.node.name}: no kubelet speaks to the containerd of its suite")
        root, programs = self.node.root, self.plane.programs
        self._copy(programs.components, root / "usr/local/bin/kubelet", 0o755)
        for plugin in programs.plugins:
            self._copy(plugin, root / "usr/lib/cni" / plugin.name, 0o755)
        self._copy(_FILES / "runc", root / "usr/local/sbin/runc", 0o755)
        self._copy(_FILES / "kubelet-pre", root / "usr/local/sbin/kubelet-pre", 0o755)
        self._copy(_FILES / "kubelet.service", root / "etc/systemd/system/kubelet.service")
        self._copy(_FILES / "kubelet.yaml", root / "etc/kubernetes/kubelet.yaml")
        self._copy(self.plane.authority.certificate, root / "etc/kubernetes/ca.crt")
        own = self.plane.kubeconfig(self.node.name)
        self._copy(own, root / "etc/kubernetes/kubelet.conf", 0o600)
        self._copy(_MANIFESTS / "static.yaml", root / "etc/kubernetes/manifests/static.yaml")
        self._copy(archive, root / "root/lab.images.tar")
        self._write("etc/kubernetes/kubelet.env", self._environment())
        self._write("etc/cni/net.d/10-lab.conflist", _NETWORK.format(subnet=self.subnet))

    def start(self) -> None:
        """Import the images, restart containerd with what was laid, start kubelet.

        This machine gets a route to the node's pods, as a cloud's network would have one.
        """
        run("ip", "route", "replace", self.subnet, "via", self.node.address)
        space = network.namespace(self.node.name)
        run("ip", "netns", "exec", space, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.node.sh(_START, seconds=120)

    def _environment(self) -> str:
        values = {
            "NODE": self.node.name,
            "ADDRESS": self.node.address,
            "ZONE": f"zone-{self.number}",
        }
        return "".join(f"{key}={value}\n" for key, value in values.items())

    def _write(self, path: str, text: str) -> None:
        target = self.node.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    @staticmethod
    def _copy(source: Path, target: Path, mode: int = 0o644) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(mode)

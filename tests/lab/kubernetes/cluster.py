"""The lab's cluster as a whole: a control plane on this machine, kubelets on the nodes."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.host import LabError, say, state_folder
from tests.lab.kubernetes.binaries import binaries
from tests.lab.kubernetes.control_plane import ControlPlane
from tests.lab.kubernetes.images import APP, SANDBOXES, write_archive
from tests.lab.kubernetes.kubelet import Kubelet
from tests.lab.node import LabNode

_READY_SECONDS = 180
_WORKLOADS = Path(__file__).with_name("manifests") / "workloads.yaml"


@dataclass(frozen=True, slots=True)
class Cluster:
    """The Kubernetes of a lab that is up."""

    nodes: Mapping[str, LabNode]
    plane: ControlPlane

    @classmethod
    def of(cls, nodes: Mapping[str, LabNode]) -> Cluster:
        """Return the cluster of a lab's nodes, started or not."""
        return cls(nodes, ControlPlane(state_folder() / "kubernetes", binaries()))

    @property
    def kubeconfig(self) -> Path:
        """Return the administrator's kubeconfig."""
        return self.plane.kubeconfig()

    @property
    def is_up(self) -> bool:
        """Return whether the API answers."""
        if not self.kubeconfig.is_file():
            return False
        return self.plane.kubectl("get", "--raw", "/readyz", check=False).strip() == "ok"

    def start(self) -> None:
        """Start everything; return once all nodes are Ready and all pods serve."""
        self.plane.start(tuple(self.nodes))
        write_archive(self.plane.programs.workload, (APP, *SANDBOXES), self._archive)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self.join, self.nodes.values()))
        self.wait_ready()
        self.plane.kubectl("apply", "-f", str(_WORKLOADS))
        for workload in ("daemonset/agent", "deployment/web"):
            self.plane.kubectl("rollout", "status", workload, f"--timeout={_READY_SECONDS}s")
        say(f"Kubernetes is up; KUBECONFIG={self.kubeconfig}")

    @property
    def _archive(self) -> Path:
        return self.plane.folder / "images.tar"

    def join(self, node: LabNode) -> None:
        """Make a node of the lab a node of the cluster."""
        kubelet = Kubelet(node, list(self.nodes).index(node.name) + 1, self.plane)
        kubelet.install(self._archive)
        kubelet.start()

    def wait_ready(self, seconds: float = _READY_SECONDS) -> None:
        """Wait until every node is Ready; raise a LabError that names the others."""
        until = time.monotonic() + seconds
        while waiting := sorted(set(self.nodes) - self._ready()):
            if time.monotonic() > until:
                raise LabError(f"not Ready within {seconds:.0f} s: {', '.join(waiting)}")
            time.sleep(0.3)

    def _ready(self) -> set[str]:
        found = self.get("nodes")["items"]
        return {node["metadata"]["name"] for node in found if condition(node, "Ready") == "True"}

    def get(self, *words: str) -> Any:
        """Return what `kubectl get WORDS -o json` prints, parsed."""
        return json.loads(self.plane.kubectl("get", *words, "-o", "json"))


def condition(node: Mapping[str, Any], kind: str) -> str:
    """Return a condition of a Node object: True, False or Unknown."""
    conditions = node.get("status", {}).get("conditions", ())
    return next((each["status"] for each in conditions if each["type"] == kind), "Unknown")

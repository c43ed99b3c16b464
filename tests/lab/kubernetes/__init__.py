"""A real Kubernetes on the lab's nodes: one binary, a control plane, kubelets and pods."""

from tests.lab.kubernetes.binaries import VERSION, build_kubernetes
from tests.lab.kubernetes.cluster import Cluster

__all__ = ["VERSION", "Cluster", "build_kubernetes"]

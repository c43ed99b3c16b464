"""The control plane on this machine: etcd, kube-apiserver, controllers and scheduler.

Its processes are in a group of the lab, so that `down` ends them with the nodes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab import network
from tests.lab.host import LabError, run, start
from tests.lab.kubernetes.binaries import Binaries
from tests.lab.kubernetes.pki import Authority

GROUP = "kubernetes"
API = f"https://{network.HOST}:6443"
SERVICE_NETWORK = "10.96.0.0/16"
_ETCD = f"http://{network.HOST}:2379"
_PEER = f"http://{network.HOST}:2380"
_READY_SECONDS = 120


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """The control plane of one lab; `folder` holds its keys, data and logs."""

    folder: Path
    programs: Binaries

    @property
    def authority(self) -> Authority:
        """Return the authority that signs the cluster's certificates."""
        return Authority(self.folder / "pki")

    def kubeconfig(self, name: str = "admin") -> Path:
        """Return the kubeconfig of a user: admin, controller-manager, scheduler or a node."""
        return self.folder / f"{name}.conf"

    def start(self, nodes: Sequence[str]) -> None:
        """Make the keys, start all four components, and return once the API is ready."""
        self.folder.mkdir(parents=True, mode=0o700)
        self._issue(nodes)
        self._run("etcd", self._etcd())
        self._run("kube-apiserver", self._apiserver())
        self._wait()
        self._run("kube-controller-manager", self._controllers())
        self._run("kube-scheduler", self._client_flags("scheduler"))

    def kubectl(self, *words: str, stdin: str | None = None, check: bool = True) -> str:
        """Run kubectl as the cluster's administrator; return what it prints."""
        command = (self.programs.components, "kubectl", f"--kubeconfig={self.kubeconfig()}")
        return run(*command, *words, stdin=stdin, check=check, seconds=180).stdout

    def _issue(self, nodes: Sequence[str]) -> None:
        authority = self.authority
        authority.create()
        names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")
        addresses = (network.HOST, "127.0.0.1", "10.96.0.1")
        alternatives = [*(f"IP:{each}" for each in addresses), *(f"DNS:{name}" for name in names)]
        authority.issue("apiserver", "/CN=kube-apiserver", ",".join(alternatives))
        authority.issue("kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client")
        users = {
            "admin": "/O=system:masters/CN=admin",
            "controller-manager": "/CN=system:kube-controller-manager",
            "scheduler": "/CN=system:kube-scheduler",
            **{name: f"/O=system:nodes/CN=system:node:{name}" for name in nodes},
        }
        for name, subject in users.items():
            authority.issue(name, subject)
            authority.kubeconfig(name, API, self.kubeconfig(name))

    def _run(self, component: str, flags: Sequence[str]) -> None:
        words = [str(self.programs.components), component, *flags]
        start(words, self.folder / f"{component}.log", group=GROUP)

    def _wait(self) -> None:
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until:
            if self.kubectl("get", "--raw", "/readyz", check=False).strip() == "ok":
                return
            time.sleep(0.2)
        last = (self.folder / "kube-apiserver.log").read_text(errors="replace").splitlines()[-3:]
        raise LabError(f"kube-apiserver is not ready: {' | '.join(last)}")

    def _etcd(self) -> tuple[str, ...]:
        return (
            "--name=lab",
            f"--data-dir={self.folder}/etcd",
            "--unsafe-no-fsync",  # a lab's data is thrown away
            "--log-level=warn",
            f"--listen-client-urls={_ETCD}",
            f"--advertise-client-urls={_ETCD}",
            f"--listen-peer-urls={_PEER}",
            f"--initial-advertise-peer-urls={_PEER}",
            f"--initial-cluster=lab={_PEER}",
        )

    def _apiserver(self) -> tuple[str, ...]:
        keys = self.authority.folder
        return (
            f"--etcd-servers={_ETCD}",
            f"--bind-address={network.HOST}",
            f"--advertise-address={network.HOST}",
            "--secure-port=6443",
            f"--client-ca-file={self.authority.certificate}",
            f"--tls-cert-file={keys}/apiserver.crt",
            f"--tls-private-key-file={keys}/apiserver.key",
            f"--kubelet-client-certificate={keys}/kubelet-client.crt",
            f"--kubelet-client-key={keys}/kubelet-client.key",
            f"--service-account-key-file={keys}/sa.pub",
            f"--service-account-signing-key-file={keys}/sa.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-cluster-ip-range={SERVICE_NETWORK}",
            "--endpoint-reconciler-type=none",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--kubelet-preferred-address-types=InternalIP",
            "--allow-privileged=true",
        )

    def _client_flags(self, user: str) -> tuple[str, ...]:
        own = self.kubeconfig(user)
        flags = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
        always = ("--leader-elect=false", "--secure-port=0")
        return (*(f"--{flag}={own}" for flag in flags), *always)

    def _controllers(self) -> tuple[str, ...]:
        keys = self.authority.folder
        return (
            *self._client_flags("controller-manager"),
            f"--service-account-private-key-file={keys}/sa.key",
            f"--root-ca-file={self.authority.certificate}",
            "--use-service-account-credentials=true",
        )

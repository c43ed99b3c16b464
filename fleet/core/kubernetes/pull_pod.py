"""The pod of a verification pull: its manifest, the result of its pull, and leftover pods.

The pod names a ConfigMap that does not exist. kubelet pulls the image, then finds that it cannot
configure the container. So nothing of the image ever runs, and no container keeps the image.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.core.masking.shown_text import tail
from fleet.core.text.documents import table, table_list, word

LABELS = {
    "app.kubernetes.io/managed-by": "containerd-fleet",
    "app.kubernetes.io/component": "verification",
}
RUN_BY = "containerd-fleet/run-by"
"""The annotation that names the process which has created the pod."""


SELECTOR = ",".join(f"{key}={value}" for key, value in LABELS.items())
"""The labels of all verification pods, for a list request."""


_NO_CONFIG_MAP = "fleet-verify-starts-no-container"


_SPARE_SECONDS = 60
"""Seconds from the deadline of the pull to the end of the pod, which may have to wait to begin."""


_PULL_FAILED = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
_NOT_BEGUN = frozenset({"", "ContainerCreating", "PodInitializing"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPod:
    """A pod that pulls one image on one node.

    `owner` names the process that creates it, as HOST/PID. Without `service_account` the pod has
    the default one of its namespace, whose pull secrets it then uses.
    """

    node: str
    image: str
    owner: str
    namespace: str = "default"
    service_account: str | None = None
    pull_secrets: tuple[str, ...] = ()
    seconds: int = 120

    def manifest(self) -> dict[str, Any]:
        """Return the manifest: pinned to the node, without privileges and without a token."""
        account = {"serviceAccountName": self.service_account} if self.service_account else {}
        secrets = [{"name": name} for name in self.pull_secrets]
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "generateName": "fleet-verify-",
                "namespace": self.namespace,
                "labels": LABELS,
                "annotations": {RUN_BY: self.owner},
            },
            "spec": {
                "nodeName": self.node,
                "tolerations": [{"operator": "Exists"}],
                "restartPolicy": "Never",
                "activeDeadlineSeconds": self.seconds + _SPARE_SECONDS,
                "terminationGracePeriodSeconds": 1,
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                **account,
                **({"imagePullSecrets": secrets} if secrets else {}),
                "securityContext": _POD_SECURITY,
                "containers": [self._container()],
            },
        }

    def _container(self) -> dict[str, Any]:
        source = {"configMapKeyRef": {"name": _NO_CONFIG_MAP, "key": "none"}}
        return {
            "name": "pull",
            "image": self.image,
            "imagePullPolicy": "Always",
            "env": [{"name": "NONE", "valueFrom": source}],
            "resources": _RESOURCES,
            "securityContext": _CONTAINER_SECURITY,
        }


_POD_SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": 65534,
    "runAsGroup": 65534,
    "seccompProfile": {"type": "RuntimeDefault"},
}


_CONTAINER_SECURITY = {
    "privileged": False,
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


_RESOURCES = {
    "requests": {"cpu": "1m", "memory": "8Mi"},
    "limits": {"cpu": "10m", "memory": "8Mi"},
}


@dataclass(frozen=True, slots=True)
class PodPull:
    """The result of a pod's pull; `message` is the cause if it failed.

    `begun` is false if kubelet did not begin to pull.
    """

    pulled: bool
    message: str = ""
    begun: bool = True


def pull_result(pod: Mapping[str, Any]) -> PodPull | None:
    """Return the result of a pod's pull; None while kubelet has not finished it.

    kubelet pulls before it configures, creates or starts the container. So all that can go wrong
    later shows that the pull succeeded.
    """
    status = table(pod, "status")
    for container in table_list(status, "containerStatuses"):
        if (result := _container_result(container)) is not None:
            return result
    if word(status, "phase") == "Failed":
        reason = ": ".join(filter(None, (word(status, "reason"), word(status, "message"))))
        message = f"kubelet did not run the pod: {reason or 'unknown'}"
        return PodPull(pulled=False, message=message, begun=False)
    return None


def _container_result(container: Mapping[str, Any]) -> PodPull | None:
    state = table(container, "state")
    waiting = table(state, "waiting")
    reason = word(waiting, "reason")
    if reason in _PULL_FAILED:
        return PodPull(pulled=False, message=f"{reason}: {word(waiting, 'message')}")
    over = reason not in _NOT_BEGUN or bool(table(state, "running") or table(state, "terminated"))
    return PodPull(pulled=True) if over or word(container, "imageID") else None


def has_begun(pod: Mapping[str, Any]) -> bool:
    """Return whether kubelet has begun with a pod."""
    return bool(word(table(pod, "status"), "startTime"))


def waiting_for(pod: Mapping[str, Any]) -> str:
    """Return what a pod without a result waits for."""
    status = table(pod, "status")
    if not has_begun(pod):
        return "kubelet has not begun with the pod"
    waiting = [
        table(table(item, "state"), "waiting") for item in table_list(status, "containerStatuses")
    ]
    reason = next((word(item, "reason") for item in waiting if word(item, "reason")), "")
    if reason == "ContainerCreating":
        return "kubelet still pulls, or waits for another pull"
    return f"the pod is at {reason}" if reason else "kubelet has begun with the pod"


def warning_of(events: Iterable[Mapping[str, Any]]) -> str:
    """Return the message of the last warning in a pod's events; empty if there is none."""
    warnings = [word(event, "message") for event in events if word(event, "type") == "Warning"]
    return tail(warnings[-1], 1) if warnings else ""


@dataclass(frozen=True, slots=True)
class LeftPod:
    """A verification pod in the cluster; `ended` is whether its deadline has passed."""

    name: str
    owner: str
    ended: bool

    def process_on(self, host: str) -> int | None:
        """Return the id of the process that has created it; None if that is not on this host."""
        machine, _, number = self.owner.rpartition("/")
        mine = machine == host and re.fullmatch("[1-9][0-9]{0,8}", number) is not None
        return int(number) if mine else None


def verification_pods(pods: Iterable[Any]) -> Iterator[LeftPod]:
    """Yield the verification pods of a list of raw pods."""
    for pod in pods:
        about = table(pod, "metadata")
        labels = table(about, "labels")
        if word(about, "name") and LABELS.items() <= labels.items():
            owner = word(table(about, "annotations"), RUN_BY)
            phase = word(table(pod, "status"), "phase")
            yield LeftPod(word(about, "name"), owner, phase in {"Failed", "Succeeded"})

"""Verification pods in a cluster: each makes the kubelet of one node pull one image."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.kubernetes.pull_pod import (
    SELECTOR,
    LeftPod,
    PodPull,
    PullPod,
    has_begun,
    pull_result,
    verification_pods,
    waiting_for,
    warning_of,
)
from fleet.core.text.documents import table, word
from fleet.kubernetes.client import Cluster, api_path
from fleet.kubernetes.errors import ClusterError

_START_SECONDS = 45
"""Seconds besides those of the pull: kubelet may be busy with other pods and other pulls."""


_GRACE = 1


_END_SECONDS = 10
"""The wait for kubelet to end a pod; then the pod is deleted as if the node were dead."""


_POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class PodOptions:
    """The namespace of the pods, and where their pull secrets come from."""

    namespace: str = "default"
    service_account: str | None = None
    pull_secrets: tuple[str, ...] = ()


@dataclass(slots=True)
class PullPods:
    """The verification pods of this process in one cluster."""

    cluster: Cluster
    options: PodOptions
    host: str = field(default_factory=socket.gethostname)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _present: set[str] = field(default_factory=set)

    @property
    def _path(self) -> str:
        return api_path("api", "v1", "namespaces", self.options.namespace, "pods")

    def delete_left(self) -> int:
        """Delete the pods that killed runs have left; return their number."""
        items = self.cluster.items(self._path, labelSelector=SELECTOR)
        left = [pod.name for pod in verification_pods(items) if self._is_left(pod)]
        for name in left:
            self._delete(name, _GRACE)
        for name in left:
            self._wait_for_end(name)
        return len(left)

    def _is_left(self, pod: LeftPod) -> bool:
        """Return whether no process waits for a pod; that of another host has its deadline."""
        process = pod.process_on(self.host)
        return pod.ended or (process is not None and not _is_running(process))

    def close(self) -> None:
        """Delete the pods that are still there, as after an interrupt."""
        for name in tuple(self._present):
            with suppress(ClusterError):  # kubelet ends it at its deadline; the next run deletes it
                self._delete(name)

    def pull(self, node: str, image: str, seconds: int) -> PodPull:
        """Make the kubelet of a node pull an image.

        Raise a NodeError if the API refuses, or if kubelet does not begin.
        """
        about = PullPod(
            node=node,
            image=image,
            owner=f"{self.host}/{os.getpid()}",
            namespace=self.options.namespace,
            service_account=self.options.service_account,
            pull_secrets=self.options.pull_secrets,
            seconds=seconds,
        )
        try:
            pod = self.cluster.post(self._path, about.manifest())
            name = word(table(pod, "metadata"), "name")
            self._present.add(name)
            try:
                result = self._wait(name, pod, seconds + _START_SECONDS)
            finally:
                self._end(name)
        except ClusterError as error:
            raise self._node_error(error) from error
        if not result.begun:
            remedy = f"look at the node with `kubectl describe node {node}`"
            raise NodeError(FailureKind.CLUSTER, Step.CLUSTER, result.message, remedy)
        return result

    def _node_error(self, error: ClusterError) -> NodeError:
        """Return the error of a call as that of a node; RBAC's refusals are not the only ones."""
        failure, namespace = error.failure, self.options.namespace
        message, remedy = failure.message, failure.remedy
        if error.status == 404 and failure.evidence.startswith("pods "):
            message, remedy = "the verification pod was deleted meanwhile", "run the command again"
        elif error.status == 404:
            message, remedy = f"the cluster has no namespace {namespace}", "correct --pod-namespace"
        elif error.status == 403 and "service account" in failure.evidence:
            account = self.options.service_account or "default"
            message = f"the namespace {namespace} has no service account {account}"
            remedy = "correct --pod-service-account"
        elif error.status == 403 and " cannot " not in failure.evidence:
            message = f"the namespace {namespace} admits no verification pod"
            remedy = "see what the API says, or choose another namespace with --pod-namespace"
        return NodeError(failure.kind, failure.step, message, remedy, failure.evidence)

    def _wait(self, name: str, pod: Mapping[str, Any], seconds: int) -> PodPull:
        until = self.clock() + seconds
        while (result := pull_result(pod)) is None:
            if self.clock() > until:
                message, begun = self._delay(pod, seconds), has_begun(pod)
                return PodPull(pulled=False, message=message, begun=begun)
            self.sleep(_POLL_SECONDS)
            pod = self.cluster.get(f"{self._path}{api_path(name)}")
        return result

    def _delay(self, pod: Mapping[str, Any], seconds: int) -> str:
        """Return why a pod has no result, with the last warning in its Events if they are read."""
        events = api_path("api", "v1", "namespaces", self.options.namespace, "events")
        selector = f"involvedObject.uid={word(table(pod, 'metadata'), 'uid')}"
        warning = ""
        with suppress(ClusterError):  # without that right the state of the pod has to do
            warning = warning_of(self.cluster.items(events, fieldSelector=selector))
        state = f"no result within {seconds} s, {waiting_for(pod)}"
        return f"{state}: {warning}" if warning else state

    def _end(self, name: str) -> None:
        """Delete a pod, and wait until kubelet has ended it: it may be pulling again."""
        if self._delete(name, _GRACE):
            self._wait_for_end(name)
        self._present.discard(name)

    def _wait_for_end(self, name: str) -> None:
        until = self.clock() + _END_SECONDS
        while self._exists(name):
            if self.clock() > until:
                self._delete(name)
                return
            self.sleep(_POLL_SECONDS)

    def _exists(self, name: str) -> bool:
        try:
            self.cluster.get(f"{self._path}{api_path(name)}")
        except ClusterError as error:
            if error.status == 404:
                return False
            raise
        return True

    def _delete(self, name: str, grace: int = 0) -> bool:
        """Delete a pod; return whether there was one. Without grace it is gone at once."""
        try:
            self.cluster.delete(f"{self._path}{api_path(name)}", {"gracePeriodSeconds": grace})
        except ClusterError as error:
            if error.status == 404:
                return False
            raise
        return True


@dataclass(frozen=True, slots=True)
class Kubelet:
    """The kubelet of one node, by the name of its Node object."""

    pods: PullPods
    node: str

    def pull(self, image: str, seconds: int) -> PodPull:
        """Make it pull an image; raise a NodeError if the API refuses."""
        return self.pods.pull(self.node, image, seconds)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True

"""Verification pods against an API: created, waited for, deleted, and cleaned up after a kill."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.core.kubernetes.pull_pod import LABELS, RUN_BY, SELECTOR, PodPull
from fleet.kubernetes.client import Cluster
from fleet.kubernetes.pull_pods import Kubelet, PodOptions, PullPods
from tests.support.api_server import Answer, Request, api_server, status_object

PODS = "/api/v1/namespaces/web/pods"
IMAGE = "docker.io/library/busybox:1.36"
PULLED = {"waiting": {"reason": "CreateContainerConfigError"}}
CREATING = {"waiting": {"reason": "ContainerCreating"}}


@dataclass(slots=True)
class Pods:
    """The pods of an API: each shows its states one by one, and ends `slowly` or at once."""

    states: list[dict[str, Any]] = field(default_factory=lambda: [PULLED])
    slowly: int = 0
    begun: str = "now"
    there: dict[str, dict[str, Any]] = field(default_factory=dict)
    refuse: Callable[[Request], Answer | None] = lambda _: None

    def __call__(self, request: Request) -> Answer:
        return self.refuse(request) or self._answer(request)

    def _answer(self, request: Request) -> Answer:
        name = request.path.removeprefix(PODS).strip("/")
        if request.path.endswith("/events"):
            return Answer(data={"items": [{"type": "Warning", "message": "no sandbox"}]})
        if request.method == "POST":
            self.there["fleet-verify-1"] = request.body
            return Answer(201, {"metadata": {"name": "fleet-verify-1", "uid": "u"}})
        if not name:
            return Answer(data={"items": list(self.there.values())})
        if name not in self.there:
            return status_object(404, "NotFound", f'pods "{name}" not found')
        if request.method == "DELETE":
            self.slowly = self.slowly if request.body["gracePeriodSeconds"] else 0
            if not self.slowly:
                del self.there[name]
            return Answer()
        return Answer(data=self._shown(name))

    def _shown(self, name: str) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        status = {
            "phase": "Pending",
            "startTime": self.begun,
            "containerStatuses": [{"state": state}],
        }
        if self.slowly:
            self.slowly -= 1
            if not self.slowly:
                del self.there[name]
        return {"metadata": {"name": name, "uid": "u"}, "status": status}


class Time:
    """A clock that only sleeping moves, 40 times as fast as it should."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += 40 * seconds


@contextmanager
def pull_pods(api: Pods, folder: Path, **options: Any) -> Iterator[tuple[PullPods, list[Request]]]:
    clock = Time()
    with api_server(api) as server:
        cluster = Cluster.connect(str(server.kubeconfig(folder)))
        chosen = PodOptions(namespace="web", **options)
        yield (
            PullPods(cluster, chosen, host="desk", clock=clock, sleep=clock.sleep),
            server.requests,
        )
        cluster.close()


def test_a_pod_is_created_waited_for_and_deleted(tmp_path: Path) -> None:
    api = Pods([CREATING, CREATING, PULLED])
    with pull_pods(api, tmp_path, pull_secrets=("hub",)) as (pods, requests):
        result = Kubelet(pods, "w1").pull(IMAGE, 90)

    created = requests[0]
    spec = created.body["spec"]
    assert result == PodPull(pulled=True)
    assert (created.method, created.path, spec["nodeName"]) == ("POST", PODS, "w1")
    assert spec["imagePullSecrets"] == [{"name": "hub"}]
    assert created.body["metadata"]["annotations"] == {RUN_BY: f"desk/{os.getpid()}"}
    assert [request.method for request in requests[-2:]] == ["DELETE", "GET"]
    assert api.there == {}


def test_it_is_gone_before_the_pull_counts_since_kubelet_pulls_again(tmp_path: Path) -> None:
    api = Pods(slowly=2)
    with pull_pods(api, tmp_path) as (pods, requests):
        pods.pull("w1", IMAGE, 90)

    ended = [request for request in requests if request.method == "DELETE"]
    assert [request.body for request in ended] == [{"gracePeriodSeconds": 1}]
    assert api.there == {}


def test_a_node_that_does_not_end_its_pod_is_not_waited_for(tmp_path: Path) -> None:
    api = Pods(slowly=10_000)
    with pull_pods(api, tmp_path) as (pods, requests):
        result = pods.pull("w1", IMAGE, 90)

    ended = [request for request in requests if request.method == "DELETE"]
    graces = [request.body["gracePeriodSeconds"] for request in ended]
    assert (result.pulled, graces, api.there) == (True, [1, 0], {})


def test_a_pull_without_a_result_names_the_last_warning(tmp_path: Path) -> None:
    api = Pods([CREATING])
    with pull_pods(api, tmp_path) as (pods, requests):
        result = pods.pull("w1", IMAGE, 90)

    state = "no result within 135 s, kubelet still pulls, or waits for another pull: no sandbox"
    assert result == PodPull(pulled=False, message=state)
    events = next(request for request in requests if request.path.endswith("/events"))
    assert events.query["fieldSelector"] == "involvedObject.uid=u"
    assert api.there == {}


def test_without_the_right_to_read_events_the_state_has_to_do(tmp_path: Path) -> None:
    api = Pods([CREATING])
    api.refuse = lambda request: (
        status_object(403, "Forbidden") if request.path.endswith("/events") else None
    )
    with pull_pods(api, tmp_path) as (pods, _):
        result = pods.pull("w1", IMAGE, 90)

    state = "no result within 135 s, kubelet still pulls, or waits for another pull"
    assert result.message == state


def test_a_kubelet_that_does_not_begin_is_no_failure_of_a_mirror(tmp_path: Path) -> None:
    api = Pods([CREATING], begun="")
    with pull_pods(api, tmp_path) as (pods, _), pytest.raises(NodeError) as caught:
        pods.pull("w1", IMAGE, 90)

    failure = caught.value.failure
    message = "no result within 135 s, kubelet has not begun with the pod: no sandbox"
    assert (failure.kind, failure.message) == (FailureKind.CLUSTER, message)
    assert failure.remedy == "look at the node with `kubectl describe node w1`"
    assert api.there == {}


REFUSALS = {
    "a missing right": (
        status_object(403, "Forbidden", 'User "ann" cannot create resource "pods"'),
        "the cluster lab does not allow this login to create pods in the namespace web",
    ),
    "a missing service account": (
        status_object(403, "Forbidden", 'error looking up service account web/x: "x" not found'),
        "the namespace web has no service account default",
    ),
    "a policy": (
        status_object(403, "Forbidden", 'violates PodSecurity "restricted:latest"'),
        "the namespace web admits no verification pod",
    ),
    "a missing namespace": (
        status_object(404, "NotFound", 'namespaces "web" not found'),
        "the cluster has no namespace web",
    ),
}


@pytest.mark.parametrize(("answer", "message"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_the_nodes_failure(tmp_path: Path, answer: Answer, message: str) -> None:
    api = Pods(refuse=lambda request: answer if request.method == "POST" else None)
    with pull_pods(api, tmp_path) as (pods, _), pytest.raises(NodeError) as caught:
        pods.pull("w1", IMAGE, 90)

    failure = caught.value.failure
    assert (failure.kind, failure.message) == (FailureKind.CLUSTER, message)
    assert failure.evidence == answer.data["message"]


def test_a_pod_that_another_client_deletes_is_named(tmp_path: Path) -> None:
    gone = status_object(404, "NotFound", 'pods "fleet-verify-1" not found')
    api = Pods([CREATING], refuse=lambda request: gone if request.method == "GET" else None)
    with pull_pods(api, tmp_path) as (pods, _), pytest.raises(NodeError) as caught:
        pods.pull("w1", IMAGE, 90)

    assert caught.value.failure.message == "the verification pod was deleted meanwhile"


def test_what_killed_runs_have_left_is_deleted_and_what_others_use_is_not(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    owners = {
        "of a dead process": (f"desk/{dead.pid}", "Pending"),
        "of a live process": (f"desk/{os.getppid()}", "Pending"),
        "of another host": ("other/1", "Pending"),
        "past its deadline": ("other/1", "Failed"),
    }
    api = Pods()
    for name, (owner, phase) in owners.items():
        about = {"name": name, "uid": name, "labels": LABELS, "annotations": {RUN_BY: owner}}
        api.there[name.replace(" ", "%20")] = {"metadata": about, "status": {"phase": phase}}

    with pull_pods(api, tmp_path) as (pods, requests):
        count = pods.delete_left()

    assert requests[0].query["labelSelector"] == SELECTOR
    assert count == 2
    assert set(api.there) == {"of%20a%20live%20process", "of%20another%20host"}


def test_an_interrupted_run_deletes_its_pods_at_its_end(tmp_path: Path) -> None:
    api = Pods([CREATING])
    with pull_pods(api, tmp_path) as (pods, requests):

        def interrupt(seconds: float) -> None:
            del seconds
            api.refuse = lambda request: (
                status_object(500, "InternalError") if request.method == "DELETE" else None
            )
            raise KeyboardInterrupt

        pods.sleep = interrupt
        with pytest.raises(NodeError):
            pods.pull("w1", IMAGE, 90)
        left = set(api.there)
        api.refuse = lambda _: None
        pods.close()

    assert (left, api.there) == ({"fleet-verify-1"}, {})
    assert requests[-1].body == {"gracePeriodSeconds": 0}

"""A small cluster behind an API server on loopback: nodes, pods, budgets, evictions, patches."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fleet.kubernetes.client import Cluster
from tests.support.api_server import Answer, Request, api_server, node_object, status_object

_NODE = re.compile(r"/api/v1/nodes/([^/]+)")
_EVICTION = re.compile(r"/api/v1/namespaces/([^/]+)/pods/([^/]+)/eviction")


class SmallCluster:
    """The objects of a cluster; `answers` may take over a request before they do."""

    def __init__(self) -> None:
        self.nodes: dict[str, dict[str, Any]] = {}
        self.pods: dict[str, dict[str, Any]] = {}
        self.budgets: dict[str, int] = {}
        """The disruptions that the budget of each pod still allows, by the pod's name."""
        self.stuck: set[str] = set()
        """Pods that do not end when they are evicted."""
        self.evictions: list[dict[str, Any]] = []
        self.answers: Callable[[Request], Answer | None] = lambda request: None
        self._lock = threading.Lock()

    def node(self, name: str, address: str = "") -> dict[str, Any]:
        """Add a node."""
        self.nodes[name] = node_object(name, address)
        return self.nodes[name]

    def pod(self, name: str, node: str = "w1", **more: Any) -> dict[str, Any]:
        """Add a pod of a ReplicaSet to a node; `more` adds to its metadata."""
        owner = {"kind": more.pop("owner", "ReplicaSet"), "controller": True}
        about = {"namespace": "shop", "name": name, "uid": f"uid-{name}"}
        self.pods[name] = {
            "metadata": {**about, "ownerReferences": [owner], **more},
            "spec": {"nodeName": node},
            "status": {"phase": "Running"},
        }
        return self.pods[name]

    def cordoned(self, name: str) -> bool:
        """Return whether a node is cordoned."""
        return self.nodes[name]["spec"].get("unschedulable") is True

    def annotations(self, name: str) -> dict[str, str]:
        """Return the annotations of a node."""
        found: dict[str, str] = self.nodes[name]["metadata"].get("annotations", {})
        return found

    def set_unschedulable(self, name: str, manager: str, *, value: bool) -> None:
        """Cordon or uncordon a node as the client `manager` does, and record it as the API does."""
        node = self.nodes[name]
        about, spec = node["metadata"], node["spec"]
        if value == self.cordoned(name):
            return
        fields = about.setdefault("managedFields", [])
        fields[:] = [entry for entry in fields if "f:spec" not in entry["fieldsV1"]]
        spec.pop("unschedulable", None)
        if value:
            spec["unschedulable"] = True
            taken = {"f:spec": {"f:unschedulable": {}}}
            fields.append({"manager": manager, "fieldsV1": taken})
        self.touch(name)

    def touch(self, name: str) -> None:
        """Change the version of a node, as any update of it does."""
        about = self.nodes[name]["metadata"]
        about["resourceVersion"] = str(int(about["resourceVersion"]) + 1)

    def respond(self, request: Request) -> Answer:
        """Answer a request."""
        with self._lock:
            return self.answers(request) or self.respond_to(request)

    def respond_to(self, request: Request) -> Answer:
        """Answer a request from the objects alone."""
        if request.path == "/api/v1/nodes":
            return Answer(data={"items": list(self.nodes.values()), "metadata": {}})
        if request.path == "/api/v1/pods":
            name = request.query.get("fieldSelector", "").removeprefix("spec.nodeName=")
            items = [pod for pod in self.pods.values() if name in ("", pod["spec"]["nodeName"])]
            return Answer(data={"items": items, "metadata": {}})
        if (match := _EVICTION.fullmatch(request.path)) is not None:
            return self._evict(match[2], request.body)
        if (match := _NODE.fullmatch(request.path)) is not None and match[1] in self.nodes:
            if request.method == "PATCH":
                return self._patch(match[1], request)
            return Answer(data=self.nodes[match[1]])
        return status_object(404, "NotFound", "not found")

    def _evict(self, name: str, body: dict[str, Any]) -> Answer:
        pod = self.pods.get(name)
        if pod is None:
            return status_object(404, "NotFound", "not found")
        if body["deleteOptions"]["preconditions"]["uid"] != pod["metadata"]["uid"]:
            return status_object(409, "Conflict", "the UID in the precondition differs")
        if self.budgets.get(name, 1) < 1:
            return budget_spent(name)
        self.evictions.append(body)
        if name not in self.stuck:
            del self.pods[name]
        return Answer(201)

    def _patch(self, name: str, request: Request) -> Answer:
        about, patch = self.nodes[name]["metadata"], request.body
        if patch["metadata"]["resourceVersion"] != about["resourceVersion"]:
            return status_object(409, "Conflict", "the object has been modified")
        annotations = about.setdefault("annotations", {})
        for key, value in patch["metadata"]["annotations"].items():
            if value is None:
                annotations.pop(key, None)
            else:
                annotations[key] = value
        self.touch(name)
        if "spec" in patch:
            value = patch["spec"]["unschedulable"] is True
            self.set_unschedulable(name, request.query["fieldManager"], value=value)
        return Answer(data=self.nodes[name])


def budget_spent(name: str) -> Answer:
    """Return the API's answer to an eviction that a budget forbids."""
    answer = status_object(429, "TooManyRequests", "Cannot evict pod", "DisruptionBudget")
    text = f"The disruption budget {name} needs 2 healthy pods and has 2 currently"
    answer.data["details"]["causes"][0]["message"] = text
    return answer


@contextmanager
def serve(cluster: SmallCluster, folder: Path) -> Iterator[Cluster]:
    """Serve a cluster; yield a client of it."""
    with api_server(cluster.respond) as server:
        client = Cluster.connect(str(server.kubeconfig(folder)), seconds=5)
        try:
            yield client
        finally:
            client.close()

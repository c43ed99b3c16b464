"""The traces of a rollout against an API: in order, beside the work, and without a claim on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fleet.core.kubernetes.traces import GENERATION, Change
from fleet.core.model.outcome import NodeOutcome, NodeStatus
from fleet.engine.cluster_traces import ClusterTraces, TracedNode
from fleet.kubernetes.client import Cluster
from tests.support.api_server import Answer, Request, api_server, status_object

CHANGE = Change(node="w1", kind="rollout", rollout="r-1", operator="ann@desk")
DONE = NodeOutcome(node="a", status=NodeStatus.CONVERGED, changed=True, generation="r-1")
REVERTED = NodeOutcome(node="a", status=NodeStatus.ROLLED_BACK, changed=False)
RUNNING, REVERTING = NodeStatus.RUNNING, NodeStatus.REVERTING
EVENTS = "/api/v1/namespaces/default/events"


@dataclass
class Api:
    """An API with one Node; `refuse` answers first."""

    generation: str | None = "r-0"
    refuse: Callable[[Request], Answer | None] = lambda _: None
    reasons: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        return self.refuse(request) or self._answer(request)

    def _answer(self, request: Request) -> Answer:
        if request.method == "PATCH":
            self.generation = request.body["metadata"]["annotations"][GENERATION]
        elif request.path == EVENTS:
            self.reasons.append(request.body["reason"].removeprefix("RegistryConfig"))
        annotations = {} if self.generation is None else {GENERATION: self.generation}
        return Answer(data={"metadata": {"name": "w1", "annotations": annotations}})


@contextmanager
def traces(api: Api, folder: Path) -> Iterator[tuple[ClusterTraces, list[Request], list[float]]]:
    slept: list[float] = []
    with api_server(api) as server:
        cluster = Cluster.connect(str(server.kubeconfig(folder)))
        nodes = {"a": TracedNode(cluster, CHANGE)}
        yield ClusterTraces(nodes.get, sleep=slept.append), server.requests, slept
        cluster.close()


def test_a_change_has_two_events_and_an_annotation(tmp_path: Path) -> None:
    api = Api()
    with traces(api, tmp_path) as (written, _, _):
        written.started("a", RUNNING)
        written.ended(DONE)
        problems = written.close()

    assert problems == ()
    assert (api.reasons, api.generation) == (["Changing", "Changed"], "r-1")


def test_a_revert_of_what_converged_restores_the_annotation(tmp_path: Path) -> None:
    api = Api()
    with traces(api, tmp_path) as (written, _, _):
        written.started("a", RUNNING)
        written.ended(DONE)
        written.started("a", REVERTING)
        written.ended(REVERTED)
        written.close()

    assert api.reasons == ["Changing", "Changed", "Reverting", "Reverted"]
    assert api.generation == "r-0"


def test_a_check_leaves_a_trace_only_if_it_fails(tmp_path: Path) -> None:
    api = Api()
    with traces(api, tmp_path) as (written, _, _):
        written.started("a", RUNNING)
        written.ended(DONE)
        written.started("a", NodeStatus.CHECKING)
        written.ended(DONE)
        written.started("a", NodeStatus.CHECKING)
        written.ended(NodeOutcome(node="a", status=NodeStatus.DEGRADED))
        written.close()

    assert api.reasons == ["Changing", "Changed", "Failed"]


def test_staging_and_nodes_without_a_cluster_leave_none(tmp_path: Path) -> None:
    with traces(Api(), tmp_path) as (written, requests, _):
        written.started("a", NodeStatus.STAGING)
        written.ended(NodeOutcome(node="a", status=NodeStatus.FAILED))
        written.started("b", RUNNING)
        written.ended(NodeOutcome(node="b", status=NodeStatus.CONVERGED, changed=True))
        written.close()

    assert requests == []


def test_a_missing_right_is_named_once_and_not_asked_for_again(tmp_path: Path) -> None:
    api = Api(refuse=lambda request: (
        status_object(403, "Forbidden") if request.method != "GET" else None
    ))  # fmt: skip
    with traces(api, tmp_path) as (written, requests, slept):
        for _ in range(3):
            written.started("a", RUNNING)
            written.ended(DONE)
        problems = written.close()

    refused = "the cluster lab does not allow this login to"
    assert problems == (
        f"no Events on Nodes: {refused} create events in the namespace default",
        f"no annotations on Nodes: {refused} patch nodes",
    )
    assert [request.method for request in requests] == ["POST", "GET", "PATCH"]
    assert slept == []


def test_an_api_that_is_away_for_a_moment_is_asked_again(tmp_path: Path) -> None:
    away = [status_object(503, "ServiceUnavailable")] * 2
    api = Api(refuse=lambda _: away.pop() if away else None)
    with traces(api, tmp_path) as (written, _, slept):
        written.started("a", RUNNING)
        written.ended(DONE)
        problems = written.close()

    assert (problems, api.reasons) == ((), ["Changing", "Changed"])
    assert len(slept) == 2


def test_a_change_that_another_process_has_begun_gets_its_end(tmp_path: Path) -> None:
    api = Api()
    with traces(api, tmp_path) as (written, _, _):
        written.settled(DONE)
        written.close()

    assert (api.reasons, api.generation) == (["Changed"], "r-1")

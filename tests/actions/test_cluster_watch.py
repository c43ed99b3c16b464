"""The clusters of a rollout as they are watched."""

from __future__ import annotations

from pathlib import Path

from fleet.actions.cluster_watch import ClusterWatch, Patience
from fleet.core.model.node import ClusterSettings, Node
from tests.support.api_server import Answer, Request, api_server, listing, node_object

OBJECTS = [node_object("w1"), node_object("w2")]


def respond(request: Request) -> Answer:
    found = [item for item in OBJECTS if request.path.endswith(f"/{item['metadata']['name']}")]
    return Answer(data=found[0]) if found else listing(OBJECTS)(request)


def test_some_nodes_are_found_without_a_look_at_all_of_them_before(tmp_path: Path) -> None:
    """A resumed rollout may have no batch to begin, and yet one to judge."""
    with api_server(respond) as server:
        settings = ClusterSettings(str(server.kubeconfig(tmp_path)))
        nodes = [Node(name=name, host=name, kubernetes=settings) for name in ("w1", "w2", "w9")]
        found = ClusterWatch(nodes, None).some_nodes(("w1", "w9"), Patience())

    assert [*found] == ["w1"]

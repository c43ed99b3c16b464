"""The explanation of a node's registry config: the file that decides, and the order of hosts."""

from __future__ import annotations

from fleet.actions.session import Session
from fleet.core.containerd.registry_url import registry_problem
from fleet.core.containerd.requests import parse_image
from fleet.core.failure import Failure
from fleet.core.lint import explain as lint
from fleet.core.lint.explain import Explanation
from fleet.core.model.facts import NodeFacts
from fleet.core.model.inventory import Inventory
from fleet.core.model.node import Node
from fleet.core.selection.patterns import select
from fleet.engine.bugs import isolate_bugs
from fleet.errors import FleetError
from fleet.node.probe_node import ProbeOrder, probe


def explain(
    inventory: Inventory, pattern: str, registry: str, session: Session
) -> tuple[Node, Explanation | Failure]:
    """Return the node that `pattern` selects, and how it pulls the images of a registry.

    `registry` may also be an image. Raise a FleetError if it is neither, or if `pattern` does not
    select exactly one node.
    """
    registry = registry_of(registry)
    nodes = select(inventory, pattern, None, _no_file)
    if len(nodes) != 1:
        raise FleetError(f"{pattern!r} names {len(nodes)} nodes; explain looks at one")
    access = session.ready(nodes).access
    return nodes[0], _explanation(probe(ProbeOrder(nodes[0], access)), registry)


def registry_of(text: str) -> str:
    """Return a registry, or that of an image such as docker.io/library/busybox:1.36."""
    image = parse_image(text)
    name = image.registry if image else text
    if problem := registry_problem(name):
        raise FleetError(problem)
    return name


def _no_file(path: str) -> str:
    raise FleetError(f"@{path}: explain looks at one node")


def _explanation(facts: NodeFacts | Failure, registry: str) -> Explanation | Failure:
    if isinstance(facts, Failure):
        return facts
    return isolate_bugs(lambda: lint.explain(facts, registry), facts.machine.hostname)

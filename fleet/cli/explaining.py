"""The command `fleet explain`: the config that decides where a node pulls images from."""

from __future__ import annotations

from dataclasses import asdict

from fleet.cli.options import Exit, Settings
from fleet.cli.output.tables import console, print_json, table
from fleet.cli.prompts import ready
from fleet.config.load import load_inventory
from fleet.core.containerd.registry_url import registry_problem
from fleet.core.failure import Failure
from fleet.core.history.serialize import failure_data
from fleet.core.lint.explain import Explanation, explain
from fleet.core.model.facts import NodeFacts
from fleet.core.selection.patterns import select
from fleet.engine.bugs import isolate_bugs
from fleet.errors import FleetError, printable
from fleet.node.probe_node import ProbeOrder, probe
from fleet.node.work_order import Access


def show(settings: Settings, access: Access, node: str, registry: str) -> Exit:
    """Print the file and line that decides, the order of hosts, and what happens if one fails."""
    if problem := registry_problem(registry):
        raise FleetError(f"{registry!r} is no registry: {problem}")
    nodes = select(load_inventory(settings.inventory), node, None, _no_file)
    if len(nodes) != 1:
        raise FleetError(f"{node!r} names {len(nodes)} nodes; explain looks at one")
    facts = probe(ProbeOrder(nodes[0], ready(access, nodes)))
    explanation = _explain(facts, registry)
    if settings.as_json:
        body = (
            {"failure": failure_data(explanation)}
            if isinstance(explanation, Failure)
            else asdict(explanation)
        )
        print_json({"node": nodes[0].name, **body})
    elif isinstance(explanation, Explanation):
        _print(nodes[0].name, explanation, settings)
    if isinstance(explanation, Failure):
        settings.say(f"{nodes[0].name}: {printable(explanation.message)}")
        return Exit.FAILED
    return Exit.OK


def _no_file(path: str) -> str:
    raise FleetError(f"@{path}: explain looks at one node")


def _explain(facts: NodeFacts | Failure, registry: str) -> Explanation | Failure:
    if isinstance(facts, Failure):
        return facts
    return isolate_bugs(lambda: explain(facts, registry), facts.machine.hostname)


def _print(node: str, explanation: Explanation, settings: Settings) -> None:
    out = console(color=settings.color)
    head = f"{node}: {explanation.registry} by containerd {explanation.version}: {explanation.way}"
    out.print(printable(head), style="bold")
    out.print(f"decided at {printable(explanation.decides)}")
    if explanation.folders:
        rows = [(folder.path, folder.state) for folder in explanation.folders]
        table(("FOLDER, IN THE ORDER OF LOOKING", ""), rows, out)
    host_rows = [
        (str(number), host.asks, " ".join(host.capabilities), host.where, host.note)
        for number, host in enumerate(explanation.hosts, 1)
    ]
    table(("", "ASKS", "FOR", "SAID AT", "WITH"), host_rows, out)
    table(("A HOST THAT ...", "THEN"), explanation.failures, out)
    for finding in explanation.findings:
        out.print(f"note: {printable(finding)}", style="yellow")

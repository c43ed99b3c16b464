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
    chosen = select(load_inventory(settings.inventory), node, None, _no_file)
    if len(chosen) != 1:
        raise FleetError(f"{node!r} names {len(chosen)} nodes; explain looks at one")
    facts = probe(ProbeOrder(chosen[0], ready(access, chosen)))
    told = _told(facts, registry)
    if settings.as_json:
        body = {"failure": failure_data(told)} if isinstance(told, Failure) else asdict(told)
        print_json({"node": chosen[0].name, **body})
    elif isinstance(told, Explanation):
        _print(chosen[0].name, told, settings)
    if isinstance(told, Failure):
        settings.say(f"{chosen[0].name}: {printable(told.message)}")
        return Exit.FAILED
    return Exit.OK


def _no_file(path: str) -> str:
    raise FleetError(f"@{path}: explain looks at one node")


def _told(facts: NodeFacts | Failure, registry: str) -> Explanation | Failure:
    if isinstance(facts, Failure):
        return facts
    return isolate_bugs(lambda: explain(facts, registry), facts.hostname)


def _print(node: str, told: Explanation, settings: Settings) -> None:
    out = console(color=settings.color)
    head = f"{node}: {told.registry} by containerd {told.version}: {told.way}"
    out.print(printable(head), style="bold")
    out.print(f"decided at {printable(told.decides)}")
    if told.folders:
        rows = [(each.path, each.state) for each in told.folders]
        table(("FOLDER, IN THE ORDER OF LOOKING", ""), rows, out)
    asked = [
        (str(number), each.asks, " ".join(each.capabilities), each.where, each.note)
        for number, each in enumerate(told.hosts, 1)
    ]
    table(("", "ASKS", "FOR", "SAID AT", "WITH"), asked, out)
    table(("A HOST THAT ...", "THEN"), told.failures, out)
    for finding in told.findings:
        out.print(f"note: {printable(finding)}", style="yellow")

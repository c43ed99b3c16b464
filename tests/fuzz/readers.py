"""All that fleet makes of one node's words, or of a user's files, as its commands would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fleet.cli.output.plan import finding_line
from fleet.config.inventory.yaml import InventoryReader
from fleet.config.load import inventory_tree
from fleet.config.mirrors.kubespray import as_mirrors, is_kubespray
from fleet.config.mirrors.yaml import MirrorsReader
from fleet.core.failure import NodeError, Step
from fleet.core.history.serialize import plan_data
from fleet.core.history.serialize_facts import facts_data
from fleet.core.lint.explain import explain
from fleet.core.masking.excerpt import with_excerpts
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import CERTS_D, ConfigFacts, DaemonFacts, NodeFacts, PathFacts
from fleet.core.model.mirror import Auth, Foreign, Mirror, Registry
from fleet.core.model.node import Node
from fleet.core.model.secret import Secret
from fleet.core.model.version import parse_version
from fleet.core.plan.drift import find_drift
from fleet.core.plan.hosts_directory import active_hosts_directory
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.planner import plan_node
from fleet.core.plan.rollback import plan_rollback
from fleet.core.plan.undo_request import UndoRequest
from fleet.core.render.base import DesiredConfig
from fleet.core.text.yaml import parse_yaml, plain
from fleet.errors import ConfigErrors, printable
from fleet.node.bundle import activate_script, bundle, stage_script
from fleet.node.probe import parse_probe
from fleet.node.script import Privilege, parse_reply
from fleet.node.settle import SettleMode, settle_script
from fleet.node.verify.evidence import verify_script
from fleet.node.work_order import Access, Deadlines, WorkOrder

NODE = Node(name="n", host="n")
_MIRROR = Mirror(url="https://m.example", header=(("X-A", (Secret("s"),)),))
_LOGIN = Mirror(url="https://n.example/hub", override_path=True, auth=Auth("u", Secret("p")))


def _registry(name: str, *mirrors: Mirror) -> Registry:
    server = "https://registry-1.docker.io" if name == "docker.io" else f"https://{name}"
    verify = f"{name}/library/busybox:1.36"
    return Registry(name=name, server=server, mirrors=mirrors, verify=verify)


WISHES = (
    DesiredConfig((_registry("docker.io", Mirror(url="https://m.example")),)),
    DesiredConfig(
        (_registry("docker.io", _MIRROR, _LOGIN), _registry("reg.example:5000", _LOGIN)),
        foreign=Foreign.OVERWRITE,
    ),
    DesiredConfig((_registry("quay.io", Mirror(url="https://m.example")),), foreign=Foreign.KEEP),
)


def read_answer(text: str, wishes: DesiredConfig) -> None:
    """Read a probe's answer, and do with it what every command does."""
    try:
        facts = parse_probe(parse_reply(Step.PROBE, 0, text, ""))
    except NodeError as error:
        str(error.failure)
        return
    plan = plan_node(NODE, facts, wishes)
    for each in (
        plan,
        plan_rollback(NODE, facts),
        plan_rollback(NODE, facts, UndoRequest(to="g1")),
    ):
        _show(each)
        _send(each)
    _look(facts, plan)


def _show(plan: NodePlan) -> None:
    """Write a plan as JSON, and as text for a terminal."""
    json.dumps(plan_data(plan, str))
    texts = [*plan.notes, *map(str, plan.findings), plan.failure.message if plan.failure else ""]
    for text in texts:
        printable(text).encode()
    for line in (finding_line(each) for each in plan.findings):
        line.encode()


def _send(plan: NodePlan) -> None:
    """Write every script that a node would be sent for a plan."""
    if plan.failure is not None:
        return
    order = WorkOrder(plan=plan, rollout="id", operator="me", access=Access())
    packed = bundle(order)
    verify = verify_script(plan, Deadlines(), tests=plan.pulls.tests, liveness=True)
    scripts = (
        stage_script(order, packed),
        activate_script(order, packed),
        settle_script(order, SettleMode.LOOK),
        verify,
    )
    for script in scripts:
        script.stdin(Privilege())


def _look(facts: NodeFacts, plan: NodePlan) -> None:
    """Ask for drift, the state of the node, and why it pulls from where it does."""
    json.dumps(facts_data(facts, plan))
    for file in find_drift(facts, plan, str):
        printable(file.path).encode()
    for registry in ("docker.io", "reg.example:5000", "index.docker.io"):
        with suppress(NodeError):
            found = explain(facts, registry)
            for host in found.hosts:
                printable(f"{host.asks} {host.where} {host.note}").encode()
    with suppress(NodeError):
        active_hosts_directory(facts)
    hash(replace(plan.node, name="m"))


def read_files(files: Mapping[str, bytes], version: str, owner: str, wishes: DesiredConfig) -> None:
    """Read a node's files without its daemon, as render does; a config and a hosts.toml."""
    facts = NodeFacts(
        offline=True,
        daemon=DaemonFacts(owner=owner or None, installed_version=parse_version(version)),
        config=ConfigFacts(
            imports=tuple(path for path in files if path.endswith(".toml")),
            certificates=frozenset(files),
        ),
        files={path: ManagedFile(content) for path, content in files.items()},
        paths=PathFacts(
            directories=frozenset({CERTS_D, *(path.rpartition("/")[0] for path in files)})
        ),
    )
    plan = plan_node(NODE, facts, wishes)
    _show(plan)
    _look(facts, plan)


def read_inventory(text: str) -> None:
    """Read an inventory, whatever it is written in, and show its mistakes."""
    try:
        reader = InventoryReader("i")
        reader.read(inventory_tree(Path("i"), text, reader.reader))
        problems = reader.reader.problems
    except ConfigErrors as error:
        problems = list(error.problems)
    for problem in with_excerpts(problems, text):
        problem.shown().encode()


def read_mirrors(text: str) -> None:
    """Read mirrors.yaml, a registries.yaml or kubespray's variables, and show its mistakes."""
    try:
        reader = MirrorsReader("m", Path("/nowhere"))
        root = parse_yaml(text, "m", reader.reader.problems)
        plain(root)
        reader.read(as_mirrors(root, reader.reader) if is_kubespray(root) else root)
        problems = reader.reader.problems
    except ConfigErrors as error:
        problems = list(error.problems)
    for problem in with_excerpts(problems, text):
        problem.shown().encode()

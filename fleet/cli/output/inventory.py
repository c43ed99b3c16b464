"""The nodes of the inventory and the problems of both files, as text and as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

import click

from fleet.cli.options import Settings
from fleet.cli.output.fitting import echo
from fleet.cli.output.tables import console, print_json
from fleet.config.inventory.keys import KEYS
from fleet.core.model.inventory import Inventory
from fleet.core.model.node import Node
from fleet.core.text.counts import counted
from fleet.errors import Problem

if TYPE_CHECKING:
    from rich.console import Console


def show_checked(
    settings: Settings, problems: tuple[Problem, ...], counts: dict[str, int] | None
) -> None:
    """Print the errors and warnings of both files; `counts` is None if there are errors."""
    if settings.as_json:
        rows = [problem_data(problem) for problem in problems]
        print_json({"ok": counts is not None, **(counts or {}), "problems": rows})
        return
    for problem in problems:
        if problem.severity == "error" or not settings.quiet:
            echo(problem.shown(), err=counts is None)
    if counts is None:
        click.echo(_number_of(problems), err=True)
        return
    found = f" ({_number_of(problems)})" if problems else ""
    nodes = counted(counts["nodes"], "node")
    click.echo(f"ok: {nodes}, {counted(counts['registries'], 'registry', 'registries')}{found}")


def _number_of(problems: Sequence[Problem]) -> str:
    """Return how many errors and warnings there are."""
    errors = sum(problem.severity == "error" for problem in problems)
    numbers = ((errors, "error"), (len(problems) - errors, "warning"))
    return ", ".join(counted(count, noun) for count, noun in numbers if count)


def problem_data(problem: Problem) -> dict[str, Any]:
    """Return one error or warning as data."""
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "severity": problem.severity,
        "message": problem.message,
        "excerpt": asdict(problem.excerpt) if problem.excerpt else None,
    }


def show_inventory(
    inventory: Inventory, nodes: Sequence[Node], settings: Settings, *, full: bool, graph: bool
) -> None:
    """Print the resolved nodes; `full` adds overridden values, `graph` prints a tree of groups."""
    out = console(color=settings.color)
    if settings.as_json:
        data = {node.name: _node_data(node, inventory) for node in nodes}
        print_json({"nodes": data, "left_out": dict(inventory.left_out)})
    elif full:
        for node in nodes:
            _print_in_full(node, inventory, out)
    elif graph:
        _print_tree(inventory, "all", 0, {node.name for node in nodes}, out)
    else:
        for node in nodes:
            _print_node(node, out)


def _values(node: Node) -> dict[str, Any]:
    values = {key: getattr(node, key) for key in KEYS}
    return {key: value for key, value in values.items() if value not in {None, ""}}


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it."""
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _node_data(node: Node, loaded: Inventory) -> dict[str, Any]:
    overridden = loaded.beaten(node)
    values = {
        key: {
            "value": _plain(value),
            "from": str(node.origins[key]) if key in node.origins else None,
            "overrides": [
                {"value": _plain(inherited.value), "from": str(inherited.origin)}
                for inherited in overridden.get(key, ())
            ],
        }
        for key, value in _values(node).items()
    }
    return {"groups": list(node.groups), "values": values}


def _print_in_full(node: Node, loaded: Inventory, out: Console) -> None:
    """Print every value with its origin, and below it the values that it overrides."""
    out.print(f"{node.name}  [{', '.join(node.groups)}]  the nearest group first")
    overridden, values = loaded.beaten(node), _values(node)
    for key, about in KEYS.items():
        if key in node.origins:
            out.print(f"  {key}: {values[key]}  # {node.origins[key]}")
        elif about.unset:
            shown = f"{values[key]}  # " if key in values else "-  # "
            out.print(f"  {key}: {shown}{about.unset}")
        for inherited in overridden.get(key, ()):
            out.print(f"    overrides {inherited.value}  # {inherited.origin}")


def _print_node(node: Node, out: Console) -> None:
    out.print(f"{node.name}  [{', '.join(node.groups)}]")
    for key, value in _values(node).items():
        source = f"  # {node.origins[key]}" if key in node.origins else ""
        if source or key == "host":
            out.print(f"  {key}: {value}{source}")


def _print_tree(loaded: Inventory, name: str, depth: int, chosen: set[str], out: Console) -> None:
    group = loaded.groups.get(name)
    if group is None:
        return
    out.print(f"{'  ' * depth}@{name}")
    nested = {node for child in group.children for node in loaded.groups[child].nodes}
    for child in group.children:
        _print_tree(loaded, child, depth + 1, chosen, out)
    for node in group.nodes:
        if node in chosen and node not in nested:
            out.print(f"{'  ' * (depth + 1)}{node}")

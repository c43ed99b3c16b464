"""Commands that need no node: check and inventory."""

from __future__ import annotations

from typing import Any

import click

from fleet.cli import views
from fleet.cli.options import Exit, Settings
from fleet.core.model import Inventory, Node
from fleet.errors import ConfigErrors, Problem

_SHOWN = (
    "host",
    "port",
    "user",
    "identity_file",
    "become",
    "become_user",
    "jump",
    "site",
    "max_unavailable",
    "order",
    "distro",
    "containerd_config",
    "containerd_socket",
    "containerd_service",
)


def check(settings: Settings) -> Exit:
    """Print every mistake of both files."""
    from fleet.config.load import load_files  # noqa: PLC0415

    try:
        loaded = load_files(settings.inventory, settings.mirrors)
        nodes = settings.select(loaded.inventory)
    except ConfigErrors as error:
        return _say_checked(settings, error.problems, None)
    counts = {"nodes": len(nodes), "registries": len(loaded.mirrors.registries)}
    return _say_checked(settings, loaded.warnings, counts)


def _say_checked(
    settings: Settings, problems: tuple[Problem, ...], counts: dict[str, int] | None
) -> Exit:
    if settings.as_json:
        rows = [_problem_data(problem) for problem in problems]
        views.print_json({"ok": counts is not None, **(counts or {}), "problems": rows})
    else:
        for problem in problems:
            click.echo(str(problem), err=counts is None)
        if counts is not None:
            click.echo(f"ok: {counts['nodes']} nodes, {counts['registries']} registries")
    return Exit.OK if counts is not None else Exit.USAGE


def _problem_data(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "severity": problem.severity,
        "message": problem.message,
    }


def inventory(settings: Settings, *, graph: bool) -> None:
    """Print the nodes as resolved, or the tree of groups."""
    from fleet.config.load import load_inventory  # noqa: PLC0415

    loaded = load_inventory(settings.inventory)
    nodes = settings.select(loaded)
    if settings.as_json:
        views.print_json({"nodes": {node.name: _node_data(node) for node in nodes}})
    elif graph:
        names = {node.name for node in nodes}
        _print_tree(loaded, "all", 0, names)
    else:
        for node in nodes:
            _print_node(node)


def _values(node: Node) -> dict[str, Any]:
    found = {key: getattr(node, key) for key in _SHOWN}
    return {key: value for key, value in found.items() if value not in {None, ""}}


def _node_data(node: Node) -> dict[str, Any]:
    values = {
        key: {"value": value, "from": str(node.origins[key]) if key in node.origins else None}
        for key, value in _values(node).items()
    }
    return {"groups": list(node.groups), "values": values}


def _print_node(node: Node) -> None:
    click.echo(f"{node.name}  [{', '.join(node.groups)}]")
    for key, value in _values(node).items():
        source = f"  # {node.origins[key]}" if key in node.origins else ""
        if source or key == "host":
            click.echo(f"  {key}: {value}{source}")


def _print_tree(loaded: Inventory, name: str, depth: int, chosen: set[str]) -> None:
    group = loaded.groups.get(name)
    if group is None:
        return
    click.echo(f"{'  ' * depth}@{name}")
    nested = {node for child in group.children for node in loaded.groups[child].nodes}
    for child in group.children:
        _print_tree(loaded, child, depth + 1, chosen)
    for node in group.nodes:
        if node in chosen and node not in nested:
            click.echo(f"{'  ' * (depth + 1)}{node}")

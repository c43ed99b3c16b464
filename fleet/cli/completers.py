"""The values that a shell offers for arguments and options: rollout IDs, nodes, registries.

They come from the files that the command line names. A file that is broken or missing offers
nothing; no completer raises or prints, and none connects to a node.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet.errors import printable
from fleet.home import expanded

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from fleet.core.model.inventory import Inventory

Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem]"]
_Values = Iterable[tuple[str, str]]
"""Values, each with its description."""

_MOST_ROLLOUTS = 50
_SECONDS = 3
"""Seconds for which the cluster of `-i kube:CONTEXT` is waited for."""
_WHICH = (("failed", ""), ("unreachable", ""))
_LAST_PART = re.compile(r"(?:.*[:,])?[&!]?", re.DOTALL)
"""The beginning of a pattern before its last part, with its operators."""
_LAST_LABEL = re.compile(r"((?:.*[:,])?[&!]?)label:[^:,]*", re.DOTALL)
"""A pattern whose last part is the name of a label's group, which has a colon of its own."""
_PLAIN = re.compile(r"[\w.:/@*=-]+")
"""A name that no shell has to quote."""


def _completer(find: Callable[[click.Context, str], _Values]) -> Completer:
    """Return a completer that offers what `find` yields, and nothing if that fails."""

    def complete(
        context: click.Context, parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

        del parameter
        try:
            return [
                CompletionItem(value, help=description or None)
                for value, description in find(context, incomplete)
                if value.startswith(incomplete)
            ]
        except Exception:  # noqa: BLE001 - whatever is broken, a shell must not show it
            return []

    return complete


def _option(context: click.Context, name: str) -> str | None:
    """Return an option from the line, after the command or before it."""
    before: click.Context | None = context
    while before is not None:
        value = before.params.get(name)
        if isinstance(value, str) and value:
            return value
        before = before.parent
    return None


def _file(context: click.Context, name: str, default: str) -> Path:
    """Return the path of a file; raise for anything that could keep a shell waiting."""
    path = expanded(_option(context, name) or default)
    if not path.is_file():
        raise FileNotFoundError(path)
    return path


def _inventory(context: click.Context) -> Inventory:
    from fleet.config.inventory.cluster import is_cluster  # noqa: PLC0415
    from fleet.config.load import load_inventory, read_cluster  # noqa: PLC0415

    chosen = Path(_option(context, "inventory") or "")
    if is_cluster(chosen):
        return read_cluster(chosen, _SECONDS)[0]
    return load_inventory(_file(context, "inventory", "inventory.yaml"))


def _journal(context: click.Context) -> Path:
    from fleet.config.inventory.cluster import file_of  # noqa: PLC0415

    if chosen := _option(context, "journal"):
        return expanded(chosen)
    inventory = expanded(file_of(Path(_option(context, "inventory") or "inventory.yaml")))
    return inventory.absolute().parent / ".fleet" / "journal.db"


def _rollouts(context: click.Context) -> Iterator[tuple[str, str]]:
    from fleet.core.history.rollout_ids import LAST, is_complete  # noqa: PLC0415
    from fleet.journal.recent import recent_rollouts  # noqa: PLC0415

    rollouts = recent_rollouts(_journal(context), _MOST_ROLLOUTS)
    if rollouts:
        yield LAST, "the newest rollout"
    for rollout in rollouts:
        if is_complete(rollout.id):
            started = rollout.started[:16].replace("T", " ")
            text = printable(f"{started} {rollout.kind} by {rollout.operator}")
            yield rollout.id, f"{text}: {printable(rollout.message)}" if rollout.message else text


def _nodes(inventory: Inventory) -> Iterator[tuple[str, str]]:
    for node in inventory.nodes:
        if _PLAIN.fullmatch(node.name):
            yield node.name, ""


def _groups(inventory: Inventory) -> Iterator[tuple[str, str]]:
    from fleet.core.text.counts import counted  # noqa: PLC0415

    for group in inventory.groups.values():
        if _PLAIN.fullmatch(group.name):
            yield group.name, f"group of {counted(len(group.nodes), 'node')}"


def _patterns(context: click.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """Yield groups and nodes for the last part of a pattern."""
    labeled, match = _LAST_LABEL.fullmatch(incomplete), _LAST_PART.match(incomplete)
    before = labeled[1] if labeled else match[0] if match else ""
    inventory = _inventory(context)
    for name, description in (*_groups(inventory), *_nodes(inventory)):
        yield f"{before}{name}", description


def _registries(context: click.Context) -> Iterator[tuple[str, str]]:
    from fleet.config.load import readable_mirrors  # noqa: PLC0415
    from fleet.core.text.counts import counted  # noqa: PLC0415

    config = readable_mirrors(_file(context, "mirrors", "mirrors.yaml"))
    for registry in config.registries:
        if _PLAIN.fullmatch(registry.name):
            yield registry.name, counted(len(registry.mirrors), "mirror")


def inventory(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Offer the contexts of the kubeconfig behind `kube:`, else files."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

    if incomplete.startswith("kube:"):
        return _clusters(context, parameter, incomplete)
    return [CompletionItem(incomplete, type="file")]


def _context_names() -> Iterator[tuple[str, str]]:
    from fleet.kubernetes.kubeconfig import context_names  # noqa: PLC0415

    for name in context_names(None):
        if _PLAIN.fullmatch(name):
            yield name, ""


contexts = _completer(lambda *_: _context_names())
_clusters = _completer(lambda *_: ((f"kube:{name}", "") for name, _ in _context_names()))
rollout_ids = _completer(lambda context, _: _rollouts(context))
rerun = _completer(lambda context, _: (*_WHICH, *_rollouts(context)))
nodes = _completer(lambda context, _: _nodes(_inventory(context)))
patterns = _completer(_patterns)
registries = _completer(lambda context, _: _registries(context))
commands = _completer(
    lambda context, _: ((name, "") for name in _root_commands(context.find_root()))
)


def _root_commands(context: click.Context) -> list[str]:
    command = context.command
    return command.list_commands(context) if isinstance(command, click.Group) else []

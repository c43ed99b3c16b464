"""The command `fleet init`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from fleet.cli.help import command
from fleet.cli.next_steps import other_command, say_next
from fleet.cli.options import Settings, takes
from fleet.cli.output.fitting import echo
from fleet.errors import FleetError
from fleet.home import expanded

_Answer = TypeVar("_Answer")
_TOO_MANY = 20
"""Answers that are refused before the question is given up, as when a file is typed in."""


@command()
@click.option("--node", "nodes", metavar="NAME[=HOST]", multiple=True,
              help="Add a node, or a range such as w[1-3]; may be repeated.")  # fmt: skip
@click.option("--user", metavar="LOGIN", default="", help="Log in to the nodes as this user.")
@click.option("--mirror", "urls", metavar="[REGISTRY=]URL", multiple=True,
              help="Add a mirror of docker.io, or of REGISTRY; may be repeated.")  # fmt: skip
@takes("inventory", "mirrors")
def init(settings: Settings, *, nodes: tuple[str, ...], user: str, urls: tuple[str, ...]) -> None:
    """Write a first inventory.yaml and mirrors.yaml.

    Asks for the nodes and a mirror on a terminal, unless options name them. Existing files are
    never overwritten. mirrors.example.yaml shows mirrors of eleven public registries.
    """
    from fleet.actions import init as action
    from fleet.config.inventory.cluster import is_cluster
    from fleet.config.starter import (
        inventory_text,
        mirrors_text,
        parse_mirror,
        parse_node,
        parse_user,
    )

    if is_cluster(settings.inventory):
        raise FleetError(f"{settings.inventory}: a cluster is not a file that can be written")
    ask = sys.stdin.isatty() and not settings.as_json and not (nodes or user or urls)
    if ask and _is_missing(settings.inventory):
        nodes = _ask("Nodes, e.g. w[1-3] or w1=10.0.0.1 (Enter: later)", parse_node)
        user = " ".join(_ask("Login on the nodes (Enter: as in ~/.ssh/config)", parse_user))
    if ask and _is_missing(settings.mirrors):
        urls = _ask("Mirror of docker.io, e.g. https://mirror.example (Enter: later)", parse_mirror)
    example, text = action.example_beside(settings.mirrors)
    texts = {
        settings.inventory: inventory_text(
            [parse_node(node) for node in nodes], parse_user(user) if user else ""
        ),
        settings.mirrors: mirrors_text(parse_mirror(url) for url in urls),
        example: text,
    }
    written = action.write_files(texts)
    action.write_schemas(settings.inventory, settings.mirrors)
    _show(settings, written, texts)


def _is_missing(path: Path) -> bool:
    return not expanded(path).exists()


def _ask(question: str, parse: Callable[[str], object]) -> tuple[str, ...]:
    """Ask until all words of an answer can be parsed; return the words."""
    for _ in range(_TOO_MANY):
        answer = click.prompt(question, default="", show_default=False, err=True)
        words = tuple(answer.replace(",", " ").split())
        try:
            for word in words:
                parse(word)
        except FleetError as error:
            echo(str(error), err=True)
        else:
            return words
    raise FleetError("no answer could be used; give --node and --mirror instead")


def _show(settings: Settings, written: dict[str, bool], texts: dict[Path, str]) -> None:
    """Print which files were written, and what to do next."""
    from fleet.cli.output.tables import print_json
    from fleet.config.placeholders import PLACEHOLDER

    if settings.as_json:
        print_json({"files": written})
        return
    for name, new in written.items():
        echo(f"{name}: {'written' if new else 'already exists, not changed'}")
    left = [str(path) for path, text in texts.items() if written[str(path)] and PLACEHOLDER in text]
    todo = f"replace {PLACEHOLDER} in {' and '.join(left)}, then run: " if left else ""
    say_next(settings, other_command("check"), first=todo)

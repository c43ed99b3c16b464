"""The command `fleet render`."""

from __future__ import annotations

from pathlib import Path

import click

from fleet.cli.change_options import foreign_files
from fleet.cli.help import command
from fleet.cli.options import Exit, Settings, takes


@command()
@click.option(
    "--containerd", metavar="VERSION", required=True, help="The release of containerd, e.g. 1.7.24."
)
@click.option(
    "--distro",
    metavar="NAME",
    help="The distribution: k3s, rke2, k0s, microk8s, flatcar, eks or another.",
)
@click.option("--root", metavar="DIR", type=click.Path(), help="Read the node's files from DIR.")
@click.option(
    "--out", metavar="DIR", type=click.Path(), required=True, help="Write the files into DIR."
)
@foreign_files
@takes("inventory", "mirrors")
def render(
    settings: Settings,
    *,
    containerd: str,
    distro: str | None,
    root: str | None,
    out: str,
    foreign: str,
) -> None:
    """Write what a node would get, without a node.

    The node is described by its release of containerd and, with --root, by its files.
    """
    from fleet.actions import render as action
    from fleet.cli.output.fitting import echo
    from fleet.cli.output.plan import show_rendered
    from fleet.cli.terminal import journal_files
    from fleet.config.load import load_mirrors
    from fleet.core.model.mirror import Foreign

    version = action.parse_release(containerd)
    action.refuse_unknown_distribution(distro)
    config, warnings = load_mirrors(settings.mirrors)
    for problem in () if settings.quiet else warnings:
        echo(problem.shown(), err=True)
    if config.overrides and not settings.quiet:
        click.echo("note: overrides are for groups of nodes, and none is named here", err=True)
    facts = action.offline_facts(version, distro, Path(root) if root else None)
    rendered = action.render(config, facts, Foreign(foreign), Path(out))
    show_rendered(rendered, settings, journal_files(settings, None).fingerprints())
    raise SystemExit(Exit.FAILED if rendered.plan.failure else Exit.OK)

"""The command `fleet render`."""

from __future__ import annotations

from pathlib import Path

import click

from fleet.cli.options import Exit, Settings, foreign_files, shared


@click.command()
@click.option("--containerd", metavar="VERSION", required=True, help="The node's containerd.")
@click.option("--distro", metavar="NAME", help="k3s, rke2, k0s, microk8s, flatcar, eks, ...")
@click.option("--root", metavar="DIR", type=click.Path(), help="Where the node's files stand.")
@click.option("--out", metavar="DIR", type=click.Path(), required=True, help="Write them there.")
@foreign_files
@shared
def render(
    settings: Settings,
    *,
    containerd: str,
    distro: str | None,
    root: str | None,
    out: str,
    foreign: str,
) -> None:
    """Write what a node of that version would get, offline."""
    from fleet.actions import render as action
    from fleet.cli.output.plan import show_rendered
    from fleet.cli.terminal import journal_files
    from fleet.config.load import load_mirrors
    from fleet.core.model.mirror import Foreign

    version = action.parse_release(containerd)
    action.refuse_unknown_distribution(distro)
    config, warnings = load_mirrors(settings.mirrors)
    for problem in () if settings.quiet else warnings:
        click.echo(problem.shown(), err=True)
    if config.overrides and not settings.quiet:
        click.echo("note: overrides are for groups of nodes, and none is named here", err=True)
    facts = action.offline_facts(version, distro, Path(root) if root else None)
    rendered = action.render(config, facts, Foreign(foreign), Path(out))
    show_rendered(rendered, settings, journal_files(settings, None).fingerprints())
    raise SystemExit(Exit.FAILED if rendered.plan.failure else Exit.OK)

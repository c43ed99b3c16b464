"""Click commands about files on the workstation; they connect to no node."""

from __future__ import annotations

import click

from fleet.cli.options import Settings, shared
from fleet.cli.switches import foreign_files, journal
from fleet.errors import FleetError


@click.command()
@shared
def init(settings: Settings) -> None:
    """Write a commented inventory.yaml and mirrors.yaml here; never overwrite."""
    from fleet.cli import starting  # noqa: PLC0415

    raise SystemExit(starting.init(settings))


@click.command()
@shared
def check(settings: Settings) -> None:
    """Check both files offline: every error and warning, with its line."""
    from fleet.cli import offline  # noqa: PLC0415

    raise SystemExit(offline.check(settings))


@click.command()
@click.argument("name", type=click.Choice(["inventory", "mirrors", "output"]))
@click.argument("command", metavar="[COMMAND]", required=False)
@shared
def schema(settings: Settings, *, name: str, command: str | None) -> None:
    """Print the JSON Schema of inventory.yaml, of mirrors.yaml, or of what COMMAND --json prints.

    `fleet schema output` names the commands.
    """
    from fleet.cli import schemes  # noqa: PLC0415

    del settings
    schemes.show(name, command)


@click.command()
@click.argument("nodes", metavar="[NODE]...", nargs=-1)
@click.option("--graph", is_flag=True, help="Groups and their nodes as a tree.")
@shared
def inventory(settings: Settings, *, nodes: tuple[str, ...], graph: bool) -> None:
    """Show the nodes as resolved, and where each value came from; of NODE what it beat as well."""
    from fleet.cli import offline  # noqa: PLC0415

    offline.inventory(settings, nodes, graph=graph)


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
    from fleet.cli import render as offline  # noqa: PLC0415
    from fleet.core.model.mirror import Foreign  # noqa: PLC0415

    known = (*offline.OWNERS, *offline.PLAIN)
    if distro is not None and distro not in known:
        raise FleetError(f"--distro {distro!r}: expected one of {', '.join(known)}")
    code = offline.render(
        settings,
        containerd=containerd,
        distro=distro,
        root=root,
        out=out,
        foreign=Foreign(foreign),
    )
    raise SystemExit(code)


@click.command()
@click.argument("rollout_id", metavar="[ID]", required=False)
@click.option("--node", metavar="NODE", help="What was done to that node alone.")
@journal
@shared
def history(
    settings: Settings, *, rollout_id: str | None, node: str | None, journal: str | None
) -> None:
    """Show what was done, when, by whom, node by node."""
    from fleet.cli import records  # noqa: PLC0415

    records.history(settings, rollout_id, node, journal)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path())
@shared
def man(settings: Settings, *, folder: str) -> None:
    """Write the man pages, one a command, into DIR."""
    from fleet.cli import man_pages as manual  # noqa: PLC0415

    group = click.get_current_context().find_root().command
    assert isinstance(group, click.Group)  # noqa: S101 - the root of all commands is one
    raise SystemExit(manual.write(settings, group, folder))


@click.command()
@click.argument("rollout_id", metavar="ID")
@click.option("-o", "--output", metavar="FILE", type=click.Path(), help="[default: stdout]")
@click.option("--format", "form", type=click.Choice(["html", "json", "junit"]), default="html",
              show_default=True, help="A page, data, or XML for dashboards.")  # fmt: skip
@journal
@shared
def report(
    settings: Settings, *, rollout_id: str, output: str | None, form: str, journal: str | None
) -> None:
    """Write what a rollout did as one page, as JSON or as JUnit XML."""
    from fleet.cli import reporting  # noqa: PLC0415

    form = "json" if settings.as_json else form
    reporting.report(settings, rollout_id, form=form, output=output, journal=journal)

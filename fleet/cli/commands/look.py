"""Click commands that connect to nodes and roll nothing out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fleet.cli.options import Exit, RenderOptions, Settings, access, connecting, shared
from fleet.cli.switches import foreign_files, no_liveness, per_mirror

if TYPE_CHECKING:
    from fleet.engine.workers.base import WorkerPool


@click.command()
@connecting
@shared
def probe(
    settings: Settings, *, ask_become_pass: bool, pool: WorkerPool, connect_timeout: float
) -> None:
    """Read every node: version, registry config, CRI health, how it stands to mirrors.yaml."""
    from fleet.cli import reading  # noqa: PLC0415

    how = access(settings, ask=ask_become_pass, seconds=connect_timeout)
    raise SystemExit(reading.probe(settings, how, pool=pool))


@click.command()
@click.option("--exit-code", is_flag=True, help="Exit 4 if anything would change.")
@click.option("--full-default", is_flag=True, help="Start a missing config.toml from all defaults.")
@foreign_files
@connecting
@shared
def diff(
    settings: Settings, *, exit_code: bool, full_default: bool, foreign: str, **how: Any
) -> None:
    """Show what a rollout would change on each node, and change nothing."""
    from fleet.cli import reading  # noqa: PLC0415

    way = access(settings, ask=how["ask_become_pass"], seconds=how["connect_timeout"])
    taste = RenderOptions(full_default=full_default, foreign=foreign)
    code = reading.diff(settings, way, pool=how["pool"], taste=taste)
    raise SystemExit(code if exit_code or code is not Exit.DIFFERENT else Exit.OK)


@click.command()
@click.option("--pull-timeout", default=120, type=click.IntRange(1, 3600), show_default=True,
              help="Seconds for one verification pull.")  # fmt: skip
@click.option("--self-contained", is_flag=True,
              help="Serve a tiny image from here, and need no registry.")  # fmt: skip
@click.option("--sample", metavar="N|P%", help="Only so many nodes, the same ones every time.")
@per_mirror
@no_liveness
@connecting
@shared
def verify(
    settings: Settings, *, pull_timeout: int, self_contained: bool, no_liveness: bool, **how: Any
) -> None:
    """Pull every verification image on every node, and change nothing."""
    from fleet.cli import reading  # noqa: PLC0415

    pool = how["pool"]
    way = access(settings, ask=how["ask_become_pass"], seconds=how["connect_timeout"])
    if self_contained:
        from fleet.cli import selftesting  # noqa: PLC0415

        raise SystemExit(selftesting.self_contained(settings, way, pool=pool, seconds=pull_timeout))
    flags = reading.ProofFlags(
        pull_seconds=pull_timeout,
        liveness=not no_liveness,
        sample=how["sample"],
        per_mirror=how["per_mirror"],
    )
    raise SystemExit(reading.verify(settings, way, pool=pool, flags=flags))


@click.command()
@click.option("--exit-code", is_flag=True, help="Exit 4 if there is any drift.")
@foreign_files
@connecting
@shared
def drift(settings: Settings, *, exit_code: bool, foreign: str, **how: Any) -> None:
    """Show what changed on nodes behind fleet's back, and whose hand it looks like."""
    from fleet.cli import drifting  # noqa: PLC0415

    way = access(settings, ask=how["ask_become_pass"], seconds=how["connect_timeout"])
    code = drifting.drift(settings, way, pool=how["pool"], taste=RenderOptions(foreign=foreign))
    raise SystemExit(code if exit_code or code is not Exit.DIFFERENT else Exit.OK)


@click.command()
@click.argument("node", metavar="NODE")
@click.argument("registry", metavar="REGISTRY")
@connecting
@shared
def explain(
    settings: Settings,
    *,
    node: str,
    registry: str,
    ask_become_pass: bool,
    pool: WorkerPool,
    connect_timeout: float,
) -> None:
    """Show which file decides where a node pulls a registry's images from, and in which order."""
    from fleet.cli import explaining  # noqa: PLC0415

    del pool
    how = access(settings, ask=ask_become_pass, seconds=connect_timeout)
    raise SystemExit(explaining.show(settings, how, node, registry))


@click.command()
@click.option("-y", "--yes", is_flag=True, help="Add unknown keys without asking.")
@connecting
@shared
def hostkeys(settings: Settings, *, yes: bool, **how: Any) -> None:
    """Show the nodes' host keys, and add unknown ones to known_hosts after a yes."""
    from fleet.cli import hostkeys as keys  # noqa: PLC0415

    code = keys.hostkeys(settings, pool=how["pool"], seconds=how["connect_timeout"], yes=yes)
    raise SystemExit(code)


@click.command()
@click.argument("command", metavar="-- COMMAND", nargs=-1, type=click.UNPROCESSED)
@click.option("--timeout", default=60, type=click.IntRange(1, 86400), show_default=True,
              help="Seconds that the command may take on a node.")  # fmt: skip
@connecting
@shared
def run(settings: Settings, *, command: tuple[str, ...], timeout: int, **how: Any) -> None:
    """Run a command on the chosen nodes, with equal answers folded."""
    from fleet.cli import running  # noqa: PLC0415

    way = access(settings, ask=how["ask_become_pass"], seconds=how["connect_timeout"])
    code = running.run(settings, way, command, pool=how["pool"], seconds=timeout)
    raise SystemExit(code)


@click.command()
@connecting
@shared
def lock(
    settings: Settings, *, ask_become_pass: bool, pool: WorkerPool, connect_timeout: float
) -> None:
    """Show who holds which node, since when and for what."""
    from fleet.cli import locks  # noqa: PLC0415

    how = access(settings, ask=ask_become_pass, seconds=connect_timeout)
    raise SystemExit(locks.lock(settings, how, pool=pool))

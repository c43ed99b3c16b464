"""One function a command: what `fleet` does is read off this page."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import click

from fleet import __version__
from fleet.cli.options import Exit, Settings, Taste, access, connecting, shared, shared_group
from fleet.cli.switches import changing_nodes, foreign_files, journal
from fleet.errors import FleetError, HeldError, JournalError, printable


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fleet")
@shared_group
def fleet() -> None:
    """Roll out containerd registry mirrors to a fleet of nodes over SSH, safely."""


@fleet.command()
@shared
def init(settings: Settings) -> None:
    """Write a commented inventory.yaml and mirrors.yaml here; never overwrite."""
    from fleet.cli import starting  # noqa: PLC0415

    raise SystemExit(starting.init(settings))


@fleet.command()
@shared
def check(settings: Settings) -> None:
    """Check both files offline: every error and warning, with its line."""
    from fleet.cli import offline  # noqa: PLC0415

    raise SystemExit(offline.check(settings))


@fleet.command()
@click.option("--graph", is_flag=True, help="Groups and their nodes as a tree.")
@shared
def inventory(settings: Settings, *, graph: bool) -> None:
    """Show the nodes as resolved, and where each value came from."""
    from fleet.cli import offline  # noqa: PLC0415

    offline.inventory(settings, graph=graph)


@fleet.command()
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
    from fleet.core.model import Foreign  # noqa: PLC0415

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


@fleet.command()
@connecting
@shared
def probe(
    settings: Settings, *, ask_become_pass: bool, parallel: int, connect_timeout: float
) -> None:
    """Read every node: version, registry config, CRI health, how it stands to mirrors.yaml."""
    from fleet.cli import reading  # noqa: PLC0415

    how = access(settings, ask=ask_become_pass, seconds=connect_timeout)
    raise SystemExit(reading.probe(settings, how, parallel=parallel))


@fleet.command()
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
    taste = Taste(full_default=full_default, foreign=foreign)
    code = reading.diff(settings, way, parallel=how["parallel"], taste=taste)
    raise SystemExit(code if exit_code or code is not Exit.DIFFERENT else Exit.OK)


@fleet.command()
@click.option("--no-verify", is_flag=True, help="No verification pulls.")
@click.option("--pull-timeout", default=120, type=click.IntRange(1, 3600), show_default=True,
              help="Seconds for one verification pull.")  # fmt: skip
@click.option("--full-default", is_flag=True, help="Start a missing config.toml from all defaults.")
@click.option(
    "--rerun",
    nargs=2,
    metavar="WHICH ID",
    type=(click.Choice(["failed", "unreachable"]), str),
    help="Only the failed or unreachable nodes of that rollout.",
)
@foreign_files
@changing_nodes
@connecting
@shared
def rollout(settings: Settings, **flags: Any) -> None:
    """Bring nodes to mirrors.yaml: plan, confirm, then batch by batch behind health gates."""
    from fleet.cli import changing  # noqa: PLC0415
    from fleet.cli.flags import Flags  # noqa: PLC0415

    raise SystemExit(changing.rollout(settings, Flags(**flags)))


@fleet.command()
@click.option("--to", metavar="GENERATION", help="Back to what that generation keeps.")
@changing_nodes
@connecting
@shared
def rollback(settings: Settings, **flags: Any) -> None:
    """Bring each node's previous config back, byte for byte, behind the same gates."""
    from fleet.cli import changing  # noqa: PLC0415
    from fleet.cli.flags import Flags  # noqa: PLC0415

    raise SystemExit(changing.rollback(settings, Flags(**flags)))


@fleet.command()
@click.argument("rollout_id", metavar="[ID]", required=False)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@journal
@connecting
@shared
def resume(settings: Settings, *, rollout_id: str | None, **how: Any) -> None:
    """Go on with an interrupted rollout: settle what it left in flight, then the rest."""
    from fleet.cli import resuming  # noqa: PLC0415

    raise SystemExit(resuming.resume(settings, rollout_id, how))


@fleet.command()
@click.option("--pull-timeout", default=120, type=click.IntRange(1, 3600), show_default=True,
              help="Seconds for one verification pull.")  # fmt: skip
@connecting
@shared
def verify(
    settings: Settings,
    *,
    pull_timeout: int,
    ask_become_pass: bool,
    parallel: int,
    connect_timeout: float,
) -> None:
    """Pull every verification image on every node, and change nothing."""
    from fleet.cli import reading  # noqa: PLC0415

    how = access(settings, ask=ask_become_pass, seconds=connect_timeout)
    raise SystemExit(reading.verify(settings, how, parallel=parallel, pull_seconds=pull_timeout))


@fleet.command()
@click.option("--exit-code", is_flag=True, help="Exit 4 if there is any drift.")
@foreign_files
@connecting
@shared
def drift(settings: Settings, *, exit_code: bool, foreign: str, **how: Any) -> None:
    """Show what changed on nodes behind fleet's back, and whose hand it looks like."""
    from fleet.cli import drifting  # noqa: PLC0415

    way = access(settings, ask=how["ask_become_pass"], seconds=how["connect_timeout"])
    code = drifting.drift(settings, way, parallel=how["parallel"], taste=Taste(foreign=foreign))
    raise SystemExit(code if exit_code or code is not Exit.DIFFERENT else Exit.OK)


@fleet.command()
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
    parallel: int,
    connect_timeout: float,
) -> None:
    """Show which file decides where a node pulls a registry's images from, and in which order."""
    from fleet.cli import explaining  # noqa: PLC0415

    del parallel
    how = access(settings, ask=ask_become_pass, seconds=connect_timeout)
    raise SystemExit(explaining.show(settings, how, node, registry))


@fleet.command()
@click.argument("rollout_id", metavar="[ID]", required=False)
@journal
@shared
def history(settings: Settings, *, rollout_id: str | None, journal: str | None) -> None:
    """Show what was done, when, by whom, node by node."""
    from fleet.cli import records  # noqa: PLC0415

    records.history(settings, rollout_id, journal)


@fleet.command()
@click.option("-y", "--yes", is_flag=True, help="Add unknown keys without asking.")
@connecting
@shared
def hostkeys(settings: Settings, *, yes: bool, **how: Any) -> None:
    """Show the nodes' host keys, and add unknown ones to known_hosts after a yes."""
    from fleet.cli import hostkeys as keys  # noqa: PLC0415

    code = keys.hostkeys(
        settings, parallel=how["parallel"], seconds=how["connect_timeout"], yes=yes
    )
    raise SystemExit(code)


@fleet.command()
@click.argument("command", metavar="-- COMMAND", nargs=-1, type=click.UNPROCESSED)
@click.option("--timeout", default=60, type=click.IntRange(1, 86400), show_default=True,
              help="Seconds that the command may take on a node.")  # fmt: skip
@connecting
@shared
def run(settings: Settings, *, command: tuple[str, ...], timeout: int, **how: Any) -> None:
    """Run a command on the chosen nodes, with equal answers folded."""
    from fleet.cli import running  # noqa: PLC0415

    way = access(settings, ask=how["ask_become_pass"], seconds=how["connect_timeout"])
    code = running.run(settings, way, command, parallel=how["parallel"], seconds=timeout)
    raise SystemExit(code)


@fleet.command()
@connecting
@shared
def lock(
    settings: Settings, *, ask_become_pass: bool, parallel: int, connect_timeout: float
) -> None:
    """Show who holds which node, since when and for what."""
    from fleet.cli import locks  # noqa: PLC0415

    how = access(settings, ask=ask_become_pass, seconds=connect_timeout)
    raise SystemExit(locks.lock(settings, how, parallel=parallel))


@fleet.command()
@click.argument("rollout_id", metavar="ID")
@connecting
@shared
def unlock(
    settings: Settings,
    *,
    rollout_id: str,
    ask_become_pass: bool,
    parallel: int,
    connect_timeout: float,
) -> None:
    """Break the lock of a dead rollout; what it left unconfirmed is taken back."""
    from fleet.cli import locks  # noqa: PLC0415

    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", rollout_id):
        raise FleetError(f"{rollout_id!r} is no rollout id; `fleet lock` shows who holds a node")
    how = access(settings, ask=ask_become_pass, seconds=connect_timeout)
    raise SystemExit(locks.break_lock(settings, how, rollout_id, parallel=parallel))


def main() -> None:
    """Run fleet; a mistake of the user ends in one message and exit code 2."""
    try:
        fleet(prog_name="fleet", standalone_mode=False)
    except FleetError as error:
        click.echo(printable(str(error)), err=True)
        sys.exit(Exit.HALTED if isinstance(error, HeldError | JournalError) else Exit.USAGE)
    except click.exceptions.Abort:
        sys.exit(Exit.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(Exit.USAGE)
    except Exception as error:  # the last line of defence: no traceback unless somebody wants it
        if logging.getLogger("fleet").isEnabledFor(logging.DEBUG):
            raise
        text = f"a bug in fleet: {type(error).__name__}: {error}; -vv shows where"
        click.echo(printable(text), err=True)
        sys.exit(Exit.FAILED)

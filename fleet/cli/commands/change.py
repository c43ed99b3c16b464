"""Click commands that change nodes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from fleet.cli.options import Settings, access, connecting, shared
from fleet.cli.switches import changing_nodes, foreign_files, journal, no_liveness, per_mirror
from fleet.errors import FleetError

if TYPE_CHECKING:
    from fleet.engine.workers.base import WorkerPool


@click.command()
@click.option("--no-verify", is_flag=True, help="No verification pulls.")
@click.option("--pull-timeout", default=120, type=click.IntRange(1, 3600), show_default=True,
              help="Seconds for one verification pull.")  # fmt: skip
@per_mirror
@no_liveness
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
def rollout(settings: Settings, *, pool: WorkerPool, **flags: Any) -> None:
    """Bring nodes to mirrors.yaml: plan, confirm, then batch by batch behind health gates."""
    from fleet.cli import changing  # noqa: PLC0415
    from fleet.cli.flags import Flags  # noqa: PLC0415

    raise SystemExit(changing.rollout(settings, Flags(**flags), pool))


@click.command()
@click.argument("rollout_id", metavar="[ID]", required=False)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@journal
@connecting
@shared
def resume(settings: Settings, *, rollout_id: str | None, pool: WorkerPool, **how: Any) -> None:
    """Go on with an interrupted rollout: settle what it left in flight, then the rest."""
    from fleet.cli import resuming  # noqa: PLC0415

    raise SystemExit(resuming.resume(settings, rollout_id, pool, how))


@click.command()
@click.option("--to", metavar="GENERATION", help="Back to what that generation keeps.")
@no_liveness
@changing_nodes
@connecting
@shared
def rollback(settings: Settings, *, pool: WorkerPool, **flags: Any) -> None:
    """Bring each node's previous config back, byte for byte, behind the same gates."""
    from fleet.cli import changing  # noqa: PLC0415
    from fleet.cli.flags import Flags  # noqa: PLC0415

    raise SystemExit(changing.rollback(settings, Flags(**flags), pool))


@click.command()
@click.argument("rollout_id", metavar="ID")
@connecting
@shared
def unlock(
    settings: Settings,
    *,
    rollout_id: str,
    ask_become_pass: bool,
    pool: WorkerPool,
    connect_timeout: float,
) -> None:
    """Break the lock of a dead rollout; what it left unconfirmed is taken back."""
    from fleet.cli import locks  # noqa: PLC0415

    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", rollout_id):
        raise FleetError(f"{rollout_id!r} is no rollout id; `fleet lock` shows who holds a node")
    how = access(settings, ask=ask_become_pass, seconds=connect_timeout)
    raise SystemExit(locks.break_lock(settings, how, rollout_id, pool=pool))

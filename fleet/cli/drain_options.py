"""The flags for cordons and drains of cluster nodes."""

from __future__ import annotations

from typing import Any

import click

from fleet.cli.options import Decorated, add_options, kube_context_option
from fleet.core.rollout import defaults

_RANGE = click.IntRange(1, 86400)
_FORCE = "Evict pods without a controller too; nothing brings them back."
_EMPTYDIR = (
    "Drain even if there are pods using emptyDir (local data that will be deleted when the node is"
    " drained)."
)
_GRACE = (
    "Time given to each pod to terminate gracefully [default: the pod's own"
    " terminationGracePeriodSeconds]."
)


def _options(*, resumed: bool) -> tuple[Any, ...]:
    """Return the flags; those of a resume have no defaults, and may turn a choice off."""
    flag: dict[str, Any] = {"is_flag": True, "default": None if resumed else False}
    timeout = None if resumed else defaults.DRAIN
    names = {
        name: f"--{name}/--no-{name}" if resumed else f"--{name}" for name in ("cordon", "drain")
    }
    return (
        kube_context_option,
        click.option(names["cordon"], "cordon", **flag,
                     help="Cordon a node while its containerd restarts."),
        click.option(names["drain"], "drain", **flag,
                     help="Cordon a node and evict its pods before its containerd restarts."
                     " PodDisruptionBudgets are respected; DaemonSets and static pods stay."),
        click.option("--drain-timeout", default=timeout, show_default=not resumed, type=_RANGE,
                     metavar="SECONDS",
                     help="A node that is not drained within this time fails, unchanged."),
        click.option("--pod-grace", type=_RANGE, metavar="SECONDS", help=_GRACE),
        click.option("--drain-force", **flag, help=_FORCE),
        click.option("--delete-emptydir-data", **flag, help=_EMPTYDIR),
    )  # fmt: skip


def draining(function: Decorated) -> Decorated:
    """Add the flags for cordons and drains."""
    return add_options(function, _options(resumed=False))


def draining_again(function: Decorated) -> Decorated:
    """Add the flags for cordons and drains to a resume, where they replace those of before."""
    return add_options(function, _options(resumed=True))

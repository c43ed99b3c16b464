"""The command `fleet verify`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from fleet.cli.change_options import no_liveness, per_mirror, pull_timeout
from fleet.cli.connection_options import Connection, connecting
from fleet.cli.help import command
from fleet.cli.options import Exit, Settings, shared, with_columns, with_kube_context
from fleet.cli.pod_options import PodFlags, with_pods

if TYPE_CHECKING:
    from fleet.core.model.outcome import NodeOutcome


@command()
@pull_timeout
@click.option("--self-contained", is_flag=True,
              help="Pull a tiny image from this machine; no registry is needed.")  # fmt: skip
@click.option("--sample", metavar="N|P%", help="Test only so many nodes, the same ones every time.")
@per_mirror
@no_liveness
@with_pods
@connecting
@shared
@with_kube_context
@with_columns
def verify(
    settings: Settings,
    *,
    connection: Connection,
    pull_timeout: int,
    self_contained: bool,
    no_liveness: bool,
    pods: PodFlags | None,
    **flags: Any,
) -> None:
    """Pull the test images on every node.

    Shows which mirror served each pull. Changes no config; images that it pulls are removed again.
    """
    from fleet.actions import verify as action
    from fleet.cli.next_steps import other_command, say_next
    from fleet.cli.output.verify import show_verified
    from fleet.cli.terminal import open_session
    from fleet.core.model.outcome import NodeStatus

    if self_contained and pods is not None:
        raise click.UsageError("use either --self-contained or --pod")
    if self_contained:
        nodes = settings.select(settings.load_inventory())
        session = open_session(settings, connection)
        outcomes, chosen = action.self_test_nodes(nodes, session, seconds=pull_timeout), None
    else:
        options = action.VerifyOptions(
            pull_seconds=pull_timeout,
            liveness=not no_liveness,
            pods=pods.options() if pods is not None else None,
            kube_context=settings.kube_context,
            **flags,
        )
        files = settings.load()
        nodes = settings.select(files.inventory)
        session = open_session(settings, connection)
        outcomes, chosen = action.verify(files, nodes, options, session)
    show_verified(outcomes, settings, chosen)
    bad = [outcome for outcome in outcomes if outcome.status is not NodeStatus.UNCHANGED]
    if step := _next_look(bad):
        name, nodes_left = step
        say_next(settings, other_command(name, limit=nodes_left))
    raise SystemExit(Exit.FAILED if bad else Exit.OK)


def _next_look(bad: Sequence[NodeOutcome]) -> tuple[str, str] | None:
    """Return the command that looks further, and its nodes; mirrors need a node that answers.

    None if nothing failed, or only the nodes' cluster.
    """
    from fleet.core.failure import FailureKind
    from fleet.core.model.outcome import NodeStatus, unworked_status
    from fleet.core.selection.ranges import compress

    kinds = {outcome.node: outcome.failure.kind for outcome in bad if outcome.failure is not None}
    nodes = [out.node for out in bad if kinds.get(out.node) is not FailureKind.CLUSTER]
    reached = [
        node
        for node in nodes
        if node not in kinds or unworked_status(kinds[node]) is NodeStatus.FAILED
    ]
    if not nodes:
        return None
    return ("mirrors test" if reached else "probe"), compress(reached or nodes)

"""The Python interface of fleet: load both files, survey nodes, roll out, roll back, resume.

No function here prints or asks. A failure on a node is a value (`NodePlan.failure`,
`NodeOutcome.failure`); mistakes in files and patterns are exceptions, `fleet.errors.FleetError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path

from fleet.actions import resume as resuming
from fleet.actions import rollback as rolling_back
from fleet.actions import rollout as rolling_out
from fleet.actions.job import Job, RolloutResult
from fleet.actions.journaling import JournalFiles, RolloutJournal
from fleet.actions.options import RenderOptions, RolloutOptions
from fleet.actions.prepared_rollout import Rollout, plan
from fleet.actions.rollout_ids import with_full_ids
from fleet.actions.session import Session
from fleet.actions.survey import survey as survey_nodes
from fleet.actions.user_interface import Progress, Scope, UserInterface
from fleet.config.load import Loaded, load_files
from fleet.core.model.inventory import Inventory
from fleet.core.model.node import Node
from fleet.core.model.outcome import NodeOutcome
from fleet.core.model.secret import Secret
from fleet.core.rollout.state import begin
from fleet.core.selection.patterns import select
from fleet.engine.survey import NodeSurvey
from fleet.engine.workers.base import ThreadPool
from fleet.errors import FleetError
from fleet.node.script import Privilege
from fleet.node.work_order import Access
from fleet.ssh import SshSettings

_NODES_AT_ONCE = 32

__all__ = [
    "Access",
    "Progress",
    "Rollout",
    "RolloutOptions",
    "RolloutResult",
    "UserInterface",
    "access",
    "drive",
    "load",
    "plan",
    "resume",
    "rollback",
    "rollout",
    "survey",
]


def load(
    inventory: str | PathLike[str] = "inventory.yaml", mirrors: str | PathLike[str] = "mirrors.yaml"
) -> Loaded:
    """Read both files; raise ConfigErrors with every mistake of both.

    The inventory may have any form that `fleet -i` takes. `Loaded.warnings` holds what works but
    should be looked at.
    """
    return load_files(Path(inventory), Path(mirrors))


def access(
    ssh_config: str | PathLike[str] | None = None,
    *,
    sudo_password: str | None = None,
    seconds: float = 10,
) -> Access:
    """Return how to connect: an ssh_config, the sudo password, and a connection timeout.

    Without `ssh_config` the user's own is read. `seconds` is the time to wait for a connection.
    """
    password = Secret(sudo_password) if sudo_password is not None else None
    config = str(ssh_config) if ssh_config is not None else None
    return Access(ssh=SshSettings(config, seconds), privilege=Privilege(password=password))


def survey(
    files: Loaded,
    limit: str | None = None,
    *,
    how: Access | None = None,
    foreign: str = "adopt",
    parallel: int = _NODES_AT_ONCE,
) -> list[NodeSurvey]:
    """Read nodes and plan each of them, changing nothing; return them in inventory order.

    `limit` is a pattern as --limit takes it, without `@file`. `foreign` is adopt, keep or
    overwrite. `parallel` is how many nodes are read at once. A node that cannot be read has no
    facts, and its plan has a failure.
    """
    unchecked = replace(how or Access(), prompted=True)  # a survey alone does not try the password
    with _session(unchecked, parallel=parallel) as session:
        options = RenderOptions(foreign=foreign)
        return survey_nodes(files, _selected(files, limit), session, options)


def _selected(files: Loaded, limit: str | None) -> Sequence[Node]:
    return select(files.inventory, limit, None, _no_file)


def _no_file(path: str) -> str:
    raise FleetError(f"@{path}: a pattern from Python cannot name a file")


@contextmanager
def _session(
    how: Access | None, ui: UserInterface | None = None, *, parallel: int = _NODES_AT_ONCE
) -> Iterator[Session]:
    pool = ThreadPool(parallel)
    try:
        yield Session(access=how or Access(), pool=pool, ui=ui or UserInterface())
    finally:
        pool.close()


def rollout(
    files: Loaded,
    limit: str | None = None,
    *,
    how: Access | None = None,
    options: RolloutOptions | None = None,
    journal: str | PathLike[str] | None = None,
    ui: UserInterface | None = None,
) -> RolloutResult:
    """Bring nodes to mirrors.yaml, as `fleet rollout -y` does; return every node's outcome.

    With `journal`, a path, the rollout is recorded there: `fleet history` shows it, and `resume`
    here or `fleet resume` goes on with it. `ui` is shown the progress, and may refuse or stop.
    """
    nodes, chosen = _selected(files, limit), options or RolloutOptions()
    target = _journal(files, journal) if journal is not None else None
    if target is not None:
        chosen = with_full_ids(chosen, target.journal)
    with _session(how, ui) as session:
        if chosen.rerun is not None:
            if target is None:
                raise FleetError("rerun needs the journal of that rollout; give journal=")
            names = rolling_out.nodes_to_rerun(*chosen.rerun, files.inventory, target, session.ui)
            nodes = [node for node in nodes if node.name in names]
        return rolling_out.rollout(files, nodes, chosen, session, target)


def rollback(
    files: Loaded,
    limit: str | None = None,
    *,
    how: Access | None = None,
    options: RolloutOptions | None = None,
    journal: str | PathLike[str] | None = None,
    ui: UserInterface | None = None,
) -> RolloutResult:
    """Bring nodes back to their previous config, or to the generation `options.to`.

    The other parameters are those of `rollout`.
    """
    nodes, chosen = _selected(files, limit), options or RolloutOptions()
    target = _journal(files, journal) if journal is not None else None
    if target is not None:
        chosen = with_full_ids(chosen, target.journal)
    with _session(how, ui) as session:
        return rolling_back.rollback(files.inventory, nodes, chosen, session, target)


def resume(
    files: Loaded,
    rollout_id: str | None = None,
    *,
    journal: str | PathLike[str],
    how: Access | None = None,
    ui: UserInterface | None = None,
) -> RolloutResult:
    """Go on with a rollout of the journal, by default the newest one that was interrupted.

    Nodes that were in flight are settled first. The options are those that it began with.
    """
    target = _journal(files, journal)
    with _session(how, ui) as session:
        return resuming.resume(target, rollout_id, session, lambda: files)


def _journal(files: Loaded, path: str | PathLike[str]) -> JournalFiles:
    return JournalFiles(
        journal=Path(path), inventory=files.inventory_path, mirrors=files.mirrors_path
    )


def drive(
    rollout: Rollout,
    *,
    how: Access | None = None,
    observe: Callable[[NodeOutcome], None] | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> dict[str, NodeOutcome]:
    """Carry out a rollout with the same gates and guards as the command; return all outcomes.

    `observe` is called with every node's outcome, in the thread of the caller. `stopping` is
    called before each batch. An exception from either of them stops the rollout as `stopping`
    does, and is raised at the end. No journal is written: `fleet history` and `fleet resume` do
    not see this rollout. If this process crashes, the nodes' guards revert unconfirmed changes.
    """
    callbacks = _Callbacks(observe or (lambda _: None), stopping)
    with _session(how, _Observed(callbacks)) as session:
        job = Job(
            id=rollout.id,
            kind="rollout",
            options=RolloutOptions(no_verify=not rollout.verify),
            session=session,
            inventory=rollout.inventory or Inventory((), {}),
            journal=RolloutJournal(rollout.id, None, None),
            plans=dict(rollout.plans),
            outcomes=dict(rollout.settled),
            deadlines=rollout.deadlines,
        )
        settled = {name: outcome.status for name, outcome in rollout.settled.items()}
        result = job.carry_out(begin(rollout.batches, settled), rollout.policy)
    return dict(result.outcomes)


class _Callbacks(Progress):
    """A view that calls the caller's functions."""

    def __init__(
        self, observe: Callable[[NodeOutcome], None], stopping: Callable[[], bool]
    ) -> None:
        self._observe, self._stopping = observe, stopping

    def ended(self, outcome: NodeOutcome) -> None:
        self._observe(outcome)

    def stopping(self) -> bool:
        return self._stopping()


class _Observed(UserInterface):
    """A user interface that passes the progress on to the caller's functions."""

    def __init__(self, callbacks: Progress) -> None:
        self._callbacks = callbacks

    @contextmanager
    def progress(
        self, rollout: str, scope: Scope, abandon: Callable[[], None]
    ) -> Iterator[Progress]:
        del rollout, scope, abandon
        yield self._callbacks

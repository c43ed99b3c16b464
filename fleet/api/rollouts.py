"""Changing nodes from Python: rollouts and rollbacks, undo and removal, and their resume."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike

from fleet.actions import remove as removing
from fleet.actions import resume as resuming
from fleet.actions import rollback as rolling_back
from fleet.actions import rollout as rolling_out
from fleet.actions import undo as undoing
from fleet.actions.job import RolloutResult
from fleet.actions.journaling import JournalFiles
from fleet.actions.options import RolloutOptions
from fleet.actions.rollout_ids import with_full_ids
from fleet.actions.user_interface import UserInterface
from fleet.api.entry import journal_files, selected, session
from fleet.config.load import Loaded
from fleet.errors import FleetError
from fleet.node.work_order import Access


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
    nodes, target = selected(files, limit), _target(files, journal)
    chosen = _with_full_ids(options, target)
    with session(how, ui) as opened:
        if chosen.rerun is not None:
            if target is None:
                raise FleetError("rerun needs the journal of that rollout; give journal=")
            names = rolling_out.nodes_to_rerun(*chosen.rerun, files.inventory, target, opened.ui)
            nodes = [node for node in nodes if node.name in names]
        return rolling_out.rollout(files, nodes, chosen, opened, target)


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
    nodes, target = selected(files, limit), _target(files, journal)
    chosen = _with_full_ids(options, target)
    with session(how, ui) as opened:
        return rolling_back.rollback(files.inventory, nodes, chosen, opened, target)


def undo(
    files: Loaded,
    rollout_id: str | None = None,
    *,
    journal: str | PathLike[str],
    how: Access | None = None,
    options: RolloutOptions | None = None,
    ui: UserInterface | None = None,
) -> RolloutResult:
    """Undo a rollout of the journal on the nodes that it changed, as `fleet undo -y` does.

    Without an id it is the newest rollout that changed something.
    """
    chosen = replace(options or RolloutOptions(), undoes=rollout_id)
    with session(how, ui) as opened:
        nodes, target = selected(files, None), journal_files(files, journal)
        return undoing.undo(files.inventory, nodes, chosen, opened, target)


def remove(
    files: Loaded,
    limit: str | None = None,
    *,
    how: Access | None = None,
    options: RolloutOptions | None = None,
    journal: str | PathLike[str] | None = None,
    ui: UserInterface | None = None,
) -> RolloutResult:
    """Restore the config from before fleet on nodes, then remove fleet from them.

    With `RolloutOptions(keep_config=True)` the registry config stays as it is, and with
    `foreign="overwrite"` files that were edited since are restored too. The other parameters are
    those of `rollout`.
    """
    target = _target(files, journal)
    with session(how, ui) as opened:
        nodes, chosen = selected(files, limit), options or RolloutOptions()
        return removing.remove(files.inventory, nodes, chosen, opened, target)


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
    target = journal_files(files, journal)
    with session(how, ui) as opened:
        return resuming.resume(target, rollout_id, opened, lambda: files)


def _target(files: Loaded, journal: str | PathLike[str] | None) -> JournalFiles | None:
    """Return the journal to write, or None without one."""
    return None if journal is None else journal_files(files, journal)


def _with_full_ids(options: RolloutOptions | None, target: JournalFiles | None) -> RolloutOptions:
    """Return the options, with the full IDs of the rollouts that they name in the journal."""
    chosen = options or RolloutOptions()
    return chosen if target is None else with_full_ids(chosen, target.journal)

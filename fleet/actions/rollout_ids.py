"""The rollout ID that a user means by `last` or a prefix, looked up in the journal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fleet.actions.options import RolloutOptions
from fleet.core.history.rollout_ids import LAST, UnknownRolloutError, is_complete
from fleet.errors import FleetError
from fleet.journal import Journal, is_there


def full_id(path: Path, given: str) -> str:
    """Return the whole ID of the rollout that `given` names in the journal at `path`.

    An ID in full is returned as it is, since it may be that of another journal. Raise a FleetError
    if the journal has no such rollout, or if several fit.
    """
    if is_complete(given):
        return given
    if not is_there(path):
        raise FleetError(f"{path}: no journal to look up {given!r} in. Give the whole ID")
    return Journal(path, read_only=True).rollout(given).id


def full_id_if_known(path: Path, given: str) -> str:
    """Return the whole ID if the journal has it, else `given`: nodes may know what it does not."""
    if given != LAST and (is_complete(given) or not is_there(path)):
        return given
    try:
        return full_id(path, given)
    except UnknownRolloutError:
        return given


def with_full_ids(options: RolloutOptions, path: Path) -> RolloutOptions:
    """Return the options with whole IDs for those that `to` and `rerun` name."""
    if options.to is not None:
        options = replace(options, to=full_id_if_known(path, options.to))  # or `ID-displaced`
    if options.rerun is not None:
        which, given = options.rerun
        options = replace(options, rerun=(which, full_id(path, given)))
    return options

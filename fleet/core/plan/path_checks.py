"""Checks of the paths that a plan touches: each must be replaceable and restorable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.change import Change
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Foreign
from fleet.core.model.owned_state import STATE_FILE
from fleet.core.model.paths import Kind, PathEntry, folders_above, plain_path
from fleet.core.plan.links import refuse_link

MOST_BYTES = 1 << 20
"""The size in bytes of the largest file that is read from a node."""


_MOVE_AWAY = "move it away by hand"


MOST_FILES = 3000
"""The number of files that are read from a node at most."""


def refuse_unsafe(changes: Iterable[Change]) -> None:
    """Raise a NodeError for a path that fleet does not write to."""
    for change in changes:
        if not plain_path(change.path):
            message = f"fleet does not write to {change.path!r} (unusual characters)"
            remedy = "use a config_path and registry names of letters, digits, '.', '-' and '_'"
            raise NodeError(FailureKind.UNSUPPORTED, Step.PLAN, message, remedy)


def refuse_odd(
    facts: NodeFacts,
    changes: Iterable[Change],
    foreign: Foreign = Foreign.ADOPT,
    hosts_directory: str | None = None,
    *,
    rollback: bool = False,
) -> None:
    """Raise a NodeError if a change would lose something, or needs a file that was not read."""
    if facts.paths.skipped_files:
        message = (
            f"the node has {facts.paths.skipped_files} files in its hosts directories and imports,"
            f" but fleet reads at most {MOST_FILES}"
        )
        remedy = "remove the files that are not used"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)
    changed = list(changes)
    for path in (*_config_paths(facts), *(change.path for change in changed)):
        _refuse_unusable_path(facts, path)
    for change in changed:
        refuse_link(facts, change)
    if foreign is Foreign.OVERWRITE and hosts_directory:
        for path in _hosts_paths(facts, hosts_directory):
            _refuse_unusable_path(facts, path)
    for change in () if rollback else changed:
        _refuse_parted_links(facts, change)


def _config_paths(facts: NodeFacts) -> Iterator[str]:
    """Yield the config files that the probe found, whether they were read or not."""
    yield facts.config.path
    for path, place in facts.paths.entries.items():
        if place.kind is not Kind.DIRECTORY and path.endswith(".toml"):
            inside = any(folder in facts.paths.directories for folder in folders_above(path))
            if not inside:
                yield path


def _hosts_paths(facts: NodeFacts, hosts_directory: str) -> Iterator[str]:
    for path in facts.paths.entries:
        if path.startswith(f"{hosts_directory}/") and path.endswith("/hosts.toml"):
            yield path


def _refuse_unusable_path(facts: NodeFacts, path: str) -> None:
    """Raise a NodeError for a path that cannot hold a file, or whose file was not read."""
    for folder in folders_above(path):
        if (place := facts.paths.entries.get(folder)) is not None and not _is_folder(
            facts, folder, place
        ):
            message = f"{folder} is {_describe(place)}, but {path} needs a folder there"
            raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, _MOVE_AWAY)
    place = facts.paths.entries.get(path)
    if place is None or path in facts.files:
        return
    if place.kind is Kind.DIRECTORY:
        message = (
            f"{path} is a folder (Docker creates one when it mounts a file that does not exist)"
        )
        remedy = f"{_MOVE_AWAY} (`rmdir {path}` if it is empty)"
    elif place.kind is Kind.FILE:
        message = f"{path} has {place.size} bytes, but fleet reads at most {MOST_BYTES}"
        remedy = "move everything but registry config to another file"
    else:
        message = f"{path} is {_describe(place)}, not a plain file"
        remedy = _MOVE_AWAY
    raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)


def _is_folder(facts: NodeFacts, path: str, place: PathEntry) -> bool:
    if place.kind is Kind.LINK:
        return place.leads is not None and path not in facts.files
    return place.kind is Kind.DIRECTORY


def _describe(place: PathEntry) -> str:
    if place.kind is Kind.LINK:
        nowhere = "" if place.leads else ", which does not exist"
        return f"a symbolic link to {place.target or '?'}{nowhere}"
    return f"a {place.kind}"


def _refuse_parted_links(facts: NodeFacts, change: Change) -> None:
    """Raise a NodeError if a change would break hard links that a rollback could not restore.

    The generation keeps a hard link to the file, so it has to be on the same disk.
    """
    path, place = change.path, facts.paths.entries.get(change.path)
    ours = change.before is not None and facts.state.files.get(path) == change.before.digest
    if place is None or place.kind is not Kind.FILE or place.links < 2 or ours:
        return
    above = (facts.paths.entries.get(folder) for folder in folders_above(STATE_FILE))
    disk = next((entry.device for entry in above if entry is not None), place.device)
    if disk == place.device:
        return
    message = (
        f"{path} is one of {place.links} hard links to a file on another disk than {STATE_FILE}:"
        " a rollback could not restore the links"
    )
    remedy = f"make it a file of its own (`cp -p {path} {path}.new && mv {path}.new {path}`)"
    raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)

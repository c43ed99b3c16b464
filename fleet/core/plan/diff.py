"""The changes that a node needs, in the order in which they are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fleet.core.model.change import Action, Change, ManagedFile
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Foreign
from fleet.core.model.paths import FileKey, file_key, plain_path
from fleet.core.plan.restart_cost import is_read_per_pull
from fleet.core.render.strategies import DesiredFiles


def diff_files(
    facts: NodeFacts, desired: DesiredFiles, foreign: Foreign = Foreign.ADOPT
) -> Iterator[Change]:
    """Yield the changes; files that fleet did not write are deleted only with Foreign.OVERWRITE."""
    current = facts.files
    written = {file_key(facts.paths.entries, path) for path in desired.files}
    for path, file in desired.files.items():
        before = current.get(path)
        after = file if before is None else _with_old_owner(before, file)
        if before is None or before.link or _differ(before, after):
            yield Change(path, before, after)
    for path, digest in facts.state.files.items():
        before = current.get(path)
        gone = file_key(facts.paths.entries, path) not in written and is_read_per_pull(path)
        if gone and before is not None and before.digest == digest:
            yield Change(path, before, None)
    if foreign is Foreign.OVERWRITE and desired.hosts_directory:
        yield from _foreign_removals(facts, f"{desired.hosts_directory}/", written)


def _foreign_removals(facts: NodeFacts, inside: str, written: set[FileKey]) -> Iterator[Change]:
    """Yield the removal of every hosts.toml that mirrors.yaml does not ask for.

    A folder whose name is not a plain path stays, since no registry has such a name.
    """
    owned = facts.owned_by_key()
    for path, file in facts.files.items():
        if not path.startswith(inside) or not path.endswith("/hosts.toml") or not plain_path(path):
            continue
        key = file_key(facts.paths.entries, path)
        if owned.get(key) != file.digest and key not in written:
            yield Change(path, file, None)


def _differ(before: ManagedFile, after: ManagedFile) -> bool:
    return (before.content, before.mode) != (after.content, after.mode)


def _with_old_owner(before: ManagedFile, file: ManagedFile) -> ManagedFile:
    """Return the new file with the old owner and mode; a secret keeps its own, stricter mode."""
    mode = file.mode if file.secret else before.mode
    return ManagedFile(file.content, mode, before.uid, before.gid, file.secret)


def order_changes(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Sort changes so that no file ever refers to a file that does not exist."""

    def rank(change: Change) -> tuple[int, str]:
        if change.action is Action.DELETE:
            return (3, change.path)
        if change.path.endswith("/hosts.toml"):
            return (1, change.path)
        return (0 if change.path.endswith(".pem") else 2, change.path)

    return tuple(sorted(changes, key=rank))

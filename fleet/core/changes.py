"""What must change on a node, in which order, and what that costs it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fleet.core.facts import NodeFacts
from fleet.core.model import Action, Change, Disruption, Foreign, ManagedFile
from fleet.core.places import FileKey, file_key, plain_path
from fleet.core.strategies import DesiredState

_PER_PULL = re.compile(r".*/(hosts\.toml|[^/]+\.pem)")


def per_pull(path: str) -> bool:
    """Say whether containerd reads a file at every pull: hosts.toml and certificates."""
    return _PER_PULL.fullmatch(path) is not None


def differences(
    facts: NodeFacts, desired: DesiredState, foreign: Foreign = Foreign.ADOPT
) -> Iterator[Change]:
    """Yield what must change; what fleet did not write is deleted only if that was asked for."""
    current = facts.files
    written = {file_key(facts.places, path) for path in desired.files}
    for path, wanted in desired.files.items():
        before = current.get(path)
        after = wanted if before is None else _kept_owner(before, wanted)
        if before is None or before.link or _differ(before, after):
            yield Change(path, before, after)
    for path, digest in facts.state.files.items():
        before = current.get(path)
        gone = file_key(facts.places, path) not in written and per_pull(path)
        if gone and before is not None and before.digest == digest:
            yield Change(path, before, None)
    if foreign is Foreign.OVERWRITE and desired.hosts_directory:
        yield from _others(facts, f"{desired.hosts_directory}/", written)


def _differ(before: ManagedFile, after: ManagedFile) -> bool:
    return (before.content, before.mode) != (after.content, after.mode)


def _others(facts: NodeFacts, inside: str, written: set[FileKey]) -> Iterator[Change]:
    """Yield the removal of every hosts.toml that mirrors.yaml does not ask for.

    A folder whose name is not a plain path stays: no registry has such a name.
    """
    owned = facts.owned_by_key()
    for path, kept in facts.files.items():
        if not path.startswith(inside) or not path.endswith("/hosts.toml") or not plain_path(path):
            continue
        key = file_key(facts.places, path)
        if owned.get(key) != kept.digest and key not in written:
            yield Change(path, kept, None)


def _kept_owner(before: ManagedFile, wanted: ManagedFile) -> ManagedFile:
    """Keep mode and owner as they were; a credential is for root's eyes only."""
    mode = wanted.mode if wanted.secret else before.mode
    return ManagedFile(wanted.content, mode, before.uid, before.gid, wanted.secret)


def ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Order changes so that nothing ever points at a file that is not there."""

    def rank(change: Change) -> tuple[int, str]:
        if change.action is Action.DELETE:
            return (3, change.path)
        if change.path.endswith("/hosts.toml"):
            return (1, change.path)
        return (0 if change.path.endswith(".pem") else 2, change.path)

    return tuple(sorted(changes, key=rank))


def disruption(changes: Iterable[Change], config: str) -> Disruption:
    """Return what `changes` cost the node; a file that we do not know costs the most.

    hosts.toml and certificates are read at every pull, config.toml only at start; what legacy
    nodes keep beside config.toml changes together with it.
    """
    folder = config.rpartition("/")[0] + "/fleet/"
    costs = [change.path.startswith(folder) or not per_pull(change.path) for change in changes]
    return Disruption.RESTART if any(costs) else Disruption.NONE

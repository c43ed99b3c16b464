"""The files that fleet owns on a node once a plan is carried out."""

from __future__ import annotations

from fleet.core.model.change import Change
from fleet.core.model.facts import NodeFacts
from fleet.core.model.owned_state import OwnedState
from fleet.core.plan.restart_cost import is_read_per_pull
from fleet.core.render.strategies import DesiredFiles


def owned_after(facts: NodeFacts, desired: DesiredFiles, changes: tuple[Change, ...]) -> OwnedState:
    """Return the files that fleet owns after the changes; the driver adds the generation."""
    if not changes:
        return facts.state
    # A file that is only read at a restart remains fleet's until it is edited, even if mirrors.yaml
    # no longer asks for it.
    files = {
        path: digest
        for path, digest in facts.state.files.items()
        if not is_read_per_pull(path) and _is_unedited(facts, path, digest)
    }
    written = {path: file.digest for path, file in desired.files.items()}
    files.update(
        {path: digest for path, digest in written.items() if path not in desired.unmanaged}
    )
    migrated = {
        path: digest
        for path, digest in facts.state.migrated.items()
        if path not in written and _is_unedited(facts, path, digest)
    }
    migrated.update({path: written[path] for path in desired.unmanaged})
    return OwnedState(facts.state.generation, files, desired.legacy, migrated)


def _is_unedited(facts: NodeFacts, path: str, digest: str) -> bool:
    return path in facts.files and facts.files[path].digest == digest

"""The way back: from kept generations to a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fleet.core.changes import disruption, ordered
from fleet.core.facts import STATE_FILE, Generation, NodeFacts
from fleet.core.ground import folder_before
from fleet.core.model import Change, ManagedFile, Node
from fleet.core.outcome import Failure, FailureKind
from fleet.core.places import file_key
from fleet.core.plan import NodePlan, observations, ways
from fleet.core.workloads import endangered


def plan_rollback(node: Node, facts: NodeFacts, to: str | None = None) -> NodePlan:
    """Plan the way back over the generations that the probe walked, the newest first."""
    version = str(facts.version) if facts.version else None
    base = NodePlan(node=node, containerd=version, strategy="rollback", rollback=True)
    if not facts.generations or (to and facts.generations[-1].id != to):
        wanted = f"generation {to}" if to else "generation"
        message = (
            f"fleet has kept no {wanted} on this node, so nothing can be gone back to; `fleet"
            " history --node` lists what was done there"
        )
        return replace(base, failure=Failure(FailureKind.NO_GENERATION, "plan", message))
    before: dict[str, ManagedFile | None] = {}
    for generation in facts.generations:
        before.update({kept.path: kept.before for kept in generation.kept if not kept.directory})
    known = STATE_FILE in before
    restored = before.pop(STATE_FILE, None) if known else facts.files.get(STATE_FILE)
    pairs = ((path, facts.files.get(path), kept) for path, kept in before.items())
    changes = ordered(Change(*each) for each in pairs if each[1] != each[2])
    cost = disruption(changes, facts.config)
    return replace(
        base,
        changes=changes,
        state_before=facts.files.get(STATE_FILE),
        state_restored=restored,
        disruption=cost,
        danger=endangered(facts, cost),
        notes=(*_drifted(facts, changes), *observations(facts)),
        made_directories=_made(facts.generations),
        folder_before=folder_before(facts),
        restores=facts.generations[-1].id,
        config=facts.config,
        **ways(facts),
    )


def _drifted(facts: NodeFacts, changes: Iterable[Change]) -> Iterator[str]:
    """Tell of bytes that are neither ours nor what we go back to: they are not lost."""
    digests = facts.owned_by_key()
    for change in changes:
        owned = digests.get(file_key(facts.places, change.path))
        if owned and change.before is not None and change.before.digest != owned:
            yield (
                f"{change.path} was edited since fleet wrote it; its bytes are kept:"
                " `fleet rollback --to` the id of this rollback brings them back"
            )


def _made(generations: Iterable[Generation]) -> tuple[str, ...]:
    """Return the directories that the changes made, the deepest first."""
    found = {kept.path for each in generations for kept in each.kept if kept.directory}
    return tuple(sorted(found, key=lambda path: (-path.count("/"), path)))

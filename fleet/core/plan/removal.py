"""Plans that take fleet off a node: the original config back, and fleet's own files gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.change import Change
from fleet.core.model.facts import NodeFacts
from fleet.core.model.generation import Generation, SavedKind, find_unusable
from fleet.core.model.node import Node
from fleet.core.model.owned_state import STATE_FILE
from fleet.core.model.paths import file_key
from fleet.core.model.pending import pending_findings
from fleet.core.plan.node_plan import NodePlan, PlannedFiles, RollbackTarget
from fleet.core.plan.planner import daemon_access
from fleet.core.plan.rollback import plan_revert
from fleet.core.plan.undo_request import damaged_failure
from fleet.core.text.counts import counted

_GENERATIONS = "/var/lib/fleet/generations"
_KEEP = "take fleet off with --keep-config, which leaves the registry config as it is"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalRequest:
    """The request to take fleet off a node.

    `keep_config` leaves the registry config in place. `overwrite` restores the original also where
    a file was edited since fleet wrote it, and deletes the only copies of saved edits.
    """

    keep_config: bool = False
    overwrite: bool = False

    @property
    def walk(self) -> str:
        """Return how far back the probe reads the saved generations: all of them."""
        return "all"


def plan_removal(node: Node, facts: NodeFacts, request: RemovalRequest) -> NodePlan:
    """Return the plan that takes fleet off a node; it does nothing where fleet has left nothing."""
    base = NodePlan(
        node=node,
        containerd=str(facts.daemon.version) if facts.daemon.version else None,
        strategy="remove",
        findings=tuple(pending_findings(facts.pending)),
        files=PlannedFiles(state_before=facts.files.get(STATE_FILE)),
        daemon=daemon_access(facts),
    )
    if not facts.own_files:
        return replace(base, notes=("nothing to remove: fleet has left nothing here",))
    base = replace(base, removes=facts.own_files)
    try:
        return _plan(base, facts, request)
    except NodeError as error:
        return replace(base, failure=error.failure)


def _plan(base: NodePlan, facts: NodeFacts, request: RemovalRequest) -> NodePlan:
    own = f"removes {', '.join(facts.own_files)}"
    copies = dict(_only_copies(facts))
    if copies and not request.overwrite:
        raise _copies_failure(copies)
    lost = tuple(f"{copy}, the only copy of {what}, is lost" for copy, what in copies.items())
    if request.keep_config:
        return replace(base, notes=(own, "the registry config stays as it is", *lost))
    chain = tuple(generation for generation in facts.generations if not generation.beside)
    _refuse_unknown_original(facts, chain)
    if not chain:
        return replace(base, notes=(own, "the original config is in place", *lost))
    plan = plan_revert(replace(base, rollback=RollbackTarget()), facts, chain)
    edited = tuple(_edited(facts, plan.changes))
    if edited and not request.overwrite:
        verb = "was" if len(edited) == 1 else "were"
        message = f"{' and '.join(edited)} {verb} edited after fleet wrote the config"
        remedy = f"see `fleet drift`, then use --overwrite, which loses the edit, or {_KEEP}"
        raise NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)
    edits = (f"the edit of {path} is lost" for path in edited)
    return replace(plan, notes=(own, "restores the config from before fleet", *edits, *lost))


def _only_copies(facts: NodeFacts) -> Iterator[tuple[str, str]]:
    """Yield the saved copies that exist nowhere else, each with what it is a copy of."""
    for edit in facts.saved_edits:
        now = facts.files.get(edit.path)
        if now is None or now.digest != edit.digest:
            yield edit.copy, f"an edit of {edit.path}"
    for generation in facts.generations:
        for entry in generation.entries:
            if entry.copied is SavedKind.ODD:
                yield entry.saved, f"the original of {entry.path}"


def _copies_failure(copies: Mapping[str, str]) -> NodeError:
    """Return the failure of a node whose saved files include the only copies of something."""
    (copy, what), *others = copies.items()
    more = f" (and {counted(len(others), 'more such file')})" if others else ""
    message = f"{copy} is the only copy of {what}{more}, and would be deleted"
    remedy = f"copy what you need out of {_GENERATIONS}, then use --overwrite"
    return NodeError(FailureKind.CONFLICT, Step.PLAN, message, remedy)


def _refuse_unknown_original(facts: NodeFacts, chain: tuple[Generation, ...]) -> None:
    """Raise a NodeError if the state before fleet's first change is not known any more."""
    damaged = find_unusable(facts.generations)
    if damaged is not None:
        failure = damaged_failure(damaged)
        raise NodeError(failure.kind, failure.step, failure.message, _KEEP)
    if chain:
        _refuse_older(chain[-1])
        return
    last = next((one for one in facts.generations if one.beside), None)
    if STATE_FILE in facts.files or (last is not None and last.state_after != "-"):
        message = f"{STATE_FILE} does not name what fleet changed here, so the original is unknown"
        raise NodeError(FailureKind.NO_GENERATION, Step.PLAN, message, _KEEP)


def _refuse_older(oldest: Generation) -> None:
    """Raise a NodeError if an older generation, which was not read, has the original."""
    if oldest.previous:
        message = (
            f"generation {oldest.id} follows {oldest.previous}, which cannot be read, so the"
            " original is unknown"
        )
        raise NodeError(FailureKind.NO_GENERATION, Step.PLAN, message, _KEEP)


def _edited(facts: NodeFacts, changes: Iterable[Change]) -> Iterator[str]:
    """Yield the files that a restore would replace and that are not as fleet wrote them."""
    digests = facts.owned_by_key()
    for change in changes:
        owned = digests.get(file_key(facts.paths.entries, change.path))
        if change.before is not None and change.before.digest != owned:
            yield change.path

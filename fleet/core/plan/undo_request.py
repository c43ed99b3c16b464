"""The request for an undo: which saved generations of a node it reverts, and why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.facts import NodeFacts
from fleet.core.model.generation import DISPLACED, PRUNED, TOO_MANY, Generation, find_unusable
from fleet.core.model.owned_state import STATE_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRequest:
    """The changes to revert on a node; without `to` and `only` it is the node's own last change.

    `to` reverts everything since and including that generation. `only` reverts that rollout alone,
    and with `with_later` also the later rollouts that changed the same node.
    """

    to: str | None = None
    only: str | None = None
    with_later: bool = False
    registry: str | None = None
    """The registry to undo alone; None for all."""
    messages: Mapping[str, str] = field(default_factory=dict)
    """The messages of rollouts by their ids, as far as the journal has them."""

    @property
    def walk(self) -> str:
        """Return how far back the probe reads the saved generations."""
        return self.only or self.to or "latest"


@dataclass(frozen=True, slots=True)
class Selection:
    """The generations to revert, the newest first; or why there is nothing to undo, or a failure.

    A rollback that finds nothing to undo leaves the node as it is, which is not a failure.
    """

    generations: tuple[Generation, ...] = ()
    nothing: str = ""
    failure: Failure | None = None


def select_generations(facts: NodeFacts, request: UndoRequest) -> Selection:
    """Select the generations of a node that a request reverts."""
    chain = [generation for generation in facts.generations if not generation.beside]
    beside = [generation for generation in facts.generations if generation.beside]
    if request.only:
        selected = _select_rollout(facts, chain, beside, request.only)
        later = [one.id for one in selected.generations if one.id != request.only]
        alone = not request.with_later and request.registry is None
        if later and alone and selected.failure is None:
            return Selection(failure=later_changes(request.only, later))
    else:
        selected = _select_back_to(facts, chain, beside, request.to)
    damaged = find_unusable(selected.generations)
    return Selection(failure=damaged_failure(damaged)) if damaged else selected


def _select_back_to(
    facts: NodeFacts, chain: Sequence[Generation], beside: Sequence[Generation], to: str | None
) -> Selection:
    """Select everything since and including generation `to`, or the newest generation."""
    if to is None:
        return Selection(tuple(chain[:1]), "" if chain else "fleet has changed nothing here")
    names = [generation.id for generation in chain]
    if to in names:
        return Selection(tuple(chain[: names.index(to) + 1]))
    if beside:
        return _select_beside(facts, chain, beside[0]) or Selection(tuple(beside))
    if (broken := _broken(chain, to)) is not None:
        return Selection(failure=damaged_failure(broken))
    if _may_be_pruned(chain, to):
        return Selection(failure=_pruned_failure(to))
    return Selection(nothing=f"no generation {to} is saved here")


def _select_rollout(
    facts: NodeFacts, chain: Sequence[Generation], beside: Sequence[Generation], only: str
) -> Selection:
    """Select the generation of one rollout, after the later ones that lie above it.

    The generation of a rollback is beside the chain. It can be reverted if fleet's record is as
    that rollback left it, or was so before a later change.
    """
    names = [generation.id for generation in chain]
    if only in names:
        return Selection(tuple(chain[: names.index(only) + 1]))
    if not beside and _may_be_pruned(chain, only):
        return Selection(failure=_pruned_failure(only))
    if not beside:
        return Selection(nothing=f"rollout {only} has saved nothing on this node")
    return _select_beside(facts, chain, beside[0]) or Selection(
        nothing=f"what rollout {only} changed is no longer in force here"
    )


def _select_beside(
    facts: NodeFacts, chain: Sequence[Generation], own: Generation
) -> Selection | None:
    """Select a generation that is beside the chain, after those that were made upon it.

    Return None if nothing in force follows from it. If the chain breaks off, that is not known.
    """
    if own.damage or own.id.endswith(DISPLACED):
        return Selection((own,))
    if joined := _joined(facts, chain, own):
        return Selection(joined)
    broken = _broken(chain, own.id)
    return Selection(failure=damaged_failure(broken)) if broken is not None else None


def _joined(
    facts: NodeFacts, chain: Sequence[Generation], own: Generation
) -> tuple[Generation, ...]:
    """Return a generation beside the chain, after those of the chain that were made upon it.

    It is empty if neither fleet's record nor a generation of the chain follows from it.
    """
    state = facts.files.get(STATE_FILE)
    if own.state_after == (state.digest if state else "-"):
        return (own,)
    for number, generation in enumerate(chain):
        if generation.id > own.id and generation.state_before == own.state_after:
            return (*chain[: number + 1], own)
    return ()


def _broken(chain: Sequence[Generation], name: str) -> Generation | None:
    """Return the last generation of a chain that breaks off before it reaches an older `name`."""
    if not chain or name > chain[-1].id:
        return None
    last = chain[-1]
    if last.previous and not last.damage:
        return replace(last, damage="its record of the one before")
    return last if last.damage else None


def _may_be_pruned(chain: Sequence[Generation], name: str) -> bool:
    """Return whether a generation that is not in the chain is as old as those that were pruned."""
    pruned = (one.id for one in chain if one.id.endswith(PRUNED))
    return any(name <= newest.removesuffix(PRUNED) for newest in pruned)


def _pruned_failure(name: str) -> Failure:
    """Return the failure of a node that has no generation of this name any more."""
    message = f"generation {name} is not saved on this node any more"
    remedy = "name a newer or the oldest one: `fleet history --node NODE` lists them"
    return Failure(FailureKind.NO_GENERATION, Step.PLAN, message, remedy)


def later_changes(only: str, later: Sequence[str]) -> Failure:
    """Return the failure of a node that later rollouts have changed as well."""
    message = f"{' and '.join(later)} changed this node after rollout {only}"
    remedy = f"undo {'it' if len(later) == 1 else 'them'} first, or undo all with --with-later"
    return Failure(FailureKind.CONFLICT, Step.PLAN, message, remedy)


def damaged_failure(generation: Generation) -> Failure:
    """Return the failure of a node whose saved files are not as they were saved, or too many."""
    if generation.damage == TOO_MANY:
        message = f"this node has too many saved files to read generation {generation.id}"
        remedy = "undo fewer rollouts: name a newer one with --to"
        return Failure(FailureKind.NO_GENERATION, Step.PLAN, message, remedy)
    message = (
        f"generation {generation.id} is damaged: {generation.damage} is missing or was altered (a"
        " power cut or an edit)"
    )
    remedy = "restore the previous mirrors.yaml, e.g. from git, then run `fleet rollout`"
    return Failure(FailureKind.NO_GENERATION, Step.PLAN, message, remedy)

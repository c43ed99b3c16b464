"""The notes of a rollback's plan that say which rollouts it undoes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from fleet.core.model.generation import PRUNED, Generation

_ID = re.compile(r"(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)\d\d-[0-9a-f]+")


def undo_notes(generations: Iterable[Generation], messages: Mapping[str, str]) -> Iterator[str]:
    """Yield a note for each rollout that is undone: its id, its time, and its message if any."""
    for generation in generations:
        name = generation.id.removesuffix(PRUNED)
        if name != generation.id:
            yield f"undoes all older rollouts up to {name}{_time_of(name)}"
            continue
        message = messages.get(generation.id, "")
        yield f"undoes {generation.id}{_time_of(generation.id)}{message and f': {message}'}"


def _time_of(rollout: str) -> str:
    """Return the time that an id contains; nothing for an id of another form."""
    match = _ID.fullmatch(rollout)
    if match is None:
        return ""
    year, month, day, hour, minute = match.groups()
    return f" of {year}-{month}-{day} {hour}:{minute} UTC"

"""The cordon of a cluster node, and the mark by which fleet knows its own.

The mark is an annotation. It is written in the same request as the cordon, so that no crash leaves
a cordon without a mark. fleet undoes only a cordon that has its mark and was not set by anyone
else since: the API records in `managedFields` which client has set a field.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fleet.core.text.documents import table, word

ANNOTATION = "containerd-fleet/cordon"
MANAGER = "containerd-fleet"
"""The name under which fleet sets fields of a Node object."""


@dataclass(frozen=True, slots=True)
class CordonMark:
    """The mark of a cordon: the rollout, the time and the operator."""

    rollout: str
    at: str
    operator: str

    @property
    def text(self) -> str:
        """Return the value of the annotation."""
        return json.dumps({"rollout": self.rollout, "at": self.at, "operator": self.operator})


class Cordon(StrEnum):
    """The state of a node's cordon."""

    NONE = "none"
    FLEET = "fleet"
    PERSON = "person"
    """Set by a person or by another program."""


@dataclass(frozen=True, slots=True)
class CordonState:
    """The cordon of a node, the mark on it, and the version of the Node object."""

    cordon: Cordon
    mark: CordonMark | None
    version: str


def cordon_state(raw: Mapping[str, Any]) -> CordonState:
    """Read the cordon of a Node object from the API."""
    about = table(raw, "metadata")
    mark = cordon_mark(table(about, "annotations"))
    cordon = Cordon.NONE
    if table(raw, "spec").get("unschedulable") is True:
        ours = mark is not None and _set_by_fleet(about.get("managedFields"))
        cordon = Cordon.FLEET if ours else Cordon.PERSON
    return CordonState(cordon, mark, word(about, "resourceVersion"))


def cordon_mark(annotations: Mapping[str, Any]) -> CordonMark | None:
    """Return the mark among the annotations of a node; None without one.

    An annotation that cannot be parsed is a mark of no rollout.
    """
    value = annotations.get(ANNOTATION)
    if not isinstance(value, str):
        return None
    try:
        data = table({"mark": json.loads(value)}, "mark")
    except (ValueError, RecursionError):
        data = {}
    return CordonMark(word(data, "rollout"), word(data, "at"), word(data, "operator"))


def _set_by_fleet(managed: object) -> bool:
    """Return whether fleet alone has set `spec.unschedulable`, or it is not recorded who has."""
    entries = managed if isinstance(managed, list) else []
    setters = [
        entry.get("manager")
        for entry in entries
        if "f:unschedulable" in table(table(entry, "fieldsV1"), "f:spec")
    ]
    return all(setter == MANAGER for setter in setters)


def cordon_patch(state: CordonState, mark: CordonMark) -> dict[str, Any]:
    """Return the merge patch that marks and cordons a node unless it has changed meanwhile."""
    about = {"resourceVersion": state.version, "annotations": {ANNOTATION: mark.text}}
    return {"metadata": about, "spec": {"unschedulable": True}}


def uncordon_patch(state: CordonState) -> dict[str, Any] | None:
    """Return the merge patch that undoes fleet's own cordon and mark; None without a mark.

    A cordon that a person has set or lifted since is left as it is.
    """
    if state.mark is None:
        return None
    about = {"resourceVersion": state.version, "annotations": {ANNOTATION: None}}
    undo = {"spec": {"unschedulable": None}} if state.cordon is Cordon.FLEET else {}
    return {"metadata": about, **undo}

"""Groups of nodes with the same failure, so that each failure is shown once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.selection.ranges import compress


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Nodes whose failures differ at most in address and evidence; `failure` is the first one."""

    nodes: tuple[str, ...]
    failure: Failure
    address: str
    """The address of all failures; empty if they differ, or have none."""

    @property
    def names(self) -> str:
        """Return the nodes as one text; more than one with their number."""
        short = compress(self.nodes)
        return f"{short} ({len(self.nodes)})" if len(self.nodes) > 1 else short


def group_failures(failures: Iterable[tuple[str, Failure]]) -> list[FailureGroup]:
    """Group nodes, each given with its failure, by what failed and what to do about it."""
    groups: dict[tuple[FailureKind, Step, str, str], list[tuple[str, Failure]]] = {}
    for node, failure in failures:
        groups.setdefault(failure.cause, []).append((node, failure))
    return [_group(members) for members in groups.values()]


def _group(members: list[tuple[str, Failure]]) -> FailureGroup:
    addresses = {failure.address for _, failure in members}
    address = addresses.pop() if len(addresses) == 1 else ""
    return FailureGroup(tuple(node for node, _ in members), members[0][1], address)

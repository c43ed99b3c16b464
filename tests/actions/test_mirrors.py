"""Odd values of one node, where the results of all nodes are folded: that node's failure alone."""

from __future__ import annotations

from dataclasses import replace

from fleet.actions.mirrors import foldable
from fleet.cli.output.mirrors_data import data_alone
from fleet.core.failure import FailureKind
from fleet.engine.mirrors import SiteTested
from tests.support.build import endpoint_check


def test_odd_results_of_a_node_are_its_failure_and_are_not_ranked() -> None:
    good = SiteTested("a", "", (endpoint_check("m"),))
    odd = replace(good, results=(replace(endpoint_check("m"), seen=None),))  # type: ignore[arg-type]

    found = foldable(odd, data_alone)

    assert foldable(good, data_alone) == good
    assert found.results == ()
    assert found.failure is not None
    assert found.failure.kind is FailureKind.BUG

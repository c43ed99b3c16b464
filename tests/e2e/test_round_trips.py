"""What a pass costs on the wire: connections and round trips a node, counted by a proxy."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.ceilings import CEILINGS, Ceiling, Cost, cost
from tests.lab import Lab
from tests.support.fleet import Fleet
from tests.support.wire import Manner, Ways

pytestmark = pytest.mark.e2e

ROUND_TRIP = 0.2
"""Seconds; long, so that two turns do not pass for one another on a busy machine."""


def measured(ceiling: Ceiling, ways: Ways, fleet: Fleet) -> Cost:
    ways.forget()
    ran = Fleet(fleet.folder, str(ways.ssh_config))(*ceiling.words)
    assert ran.code == 0, ran.text
    return cost(ways.tallies().values())


def test_no_command_costs_more_round_trips_than_its_ceiling(
    nodes: Lab, fleet: Fleet, tmp_path: Path
) -> None:
    with Ways(nodes, tmp_path / "way", nodes.nodes.values(), Manner(ROUND_TRIP)) as ways:
        found = {each: measured(each, ways, fleet) for each in CEILINGS}

    above = {
        ceiling.name: (most, is_now)
        for ceiling, is_now in found.items()
        if (most := ceiling.most) and not within(is_now, most)
    }
    assert above == {}


def within(found: Cost, most: Cost) -> bool:
    return (
        found.connections <= most.connections
        and found.main <= most.main
        and found.second <= most.second
    )

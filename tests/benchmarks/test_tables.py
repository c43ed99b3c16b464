"""The tables of the latency and of the scale benchmark."""

from __future__ import annotations

from benchmarks.ceilings import Cost
from benchmarks.latency import Far, rows
from benchmarks.latency import table as far_table
from benchmarks.sample import Key, Sample
from benchmarks.scale import table as scale_table


def far(peer: str, wall: float, round_trip: float, cost: Cost) -> Far:
    key = Key(nodes=1, scenario="W", peer=peer)
    return Far(Sample(key=key, round=0, wall=wall), round_trip, cost, 4000, 2000)


RUNS = [
    far("sshtar-cv", 1.0, 0.0, Cost(1, 10, 0)),
    far("sshtar-cv", 1.6, 0.05, Cost(1, 9, 0)),
    far("fleet", 1.2, 0.0, Cost(2, 14, 7)),
    far("fleet", 2.1, 0.05, Cost(2, 13, 7)),
]


def test_a_pass_is_measured_against_the_limit_nearby_and_its_own_round_trips() -> None:
    limit, fleet = rows(RUNS, 0.05)

    assert (limit.peer, limit.least) == ("sshtar-cv", 1.0 + 10 * 0.05)
    assert (fleet.peer, fleet.least, fleet.turns) == ("fleet", 1.0 + 22 * 0.05, 20)


def test_a_peer_that_never_came_through_has_no_row() -> None:
    assert [row.peer for row in rows(RUNS[:3], 0.05)] == ["sshtar-cv"]


def test_the_table_tells_ratio_connections_turns_and_bytes() -> None:
    text = far_table(rows(RUNS, 0.05), 1, 0.05)

    assert "| fleet | 1.20 | 2.10 | 1.00 | 2 | 20 | 4.0 | 2.0 |" in text


def test_the_table_of_many_nodes_tells_what_a_node_costs() -> None:
    key = Key(nodes=1000, scenario="probe", peer="fleet")
    sample = Sample(key=key, round=0, wall=20.0, client_cpu=10.0, client_mb=80.0)

    assert "| 1000 | fleet | 1 | 20.0 | 50 | 10.0 | 10.0 | 80 |" in scale_table([sample])

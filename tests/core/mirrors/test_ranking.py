"""Endpoints ranked over many nodes: a better order where it is clear, and cells by site."""

from __future__ import annotations

import pytest

from fleet.core.mirrors.check import Diagnosis, EndpointCheck
from fleet.core.mirrors.ranking import Cell, cell, rankings, shown_time
from tests.support.build import endpoint_check


@pytest.mark.parametrize(
    ("found", "order"),
    [
        pytest.param(
            (endpoint_check("a", 0.3), endpoint_check("b", 0.2)),
            "ab",
            id="a little faster is no reason",
        ),
        pytest.param(
            (endpoint_check("a", 2.0), endpoint_check("b", 0.2)), "ba", id="much faster is one"
        ),
        pytest.param(
            (endpoint_check("a", 0.1, Diagnosis.REFUSED), endpoint_check("b", 3.0)),
            "ba",
            id="dead last",
        ),
        pytest.param(
            (
                endpoint_check("a", diagnosis=Diagnosis.PORTAL),
                endpoint_check("b", diagnosis=Diagnosis.REFUSED),
                endpoint_check("c", diagnosis=Diagnosis.STALE),
                endpoint_check("d"),
            ),
            "dcba",
            id="what ends a pull is worse than what is dead",
        ),
    ],
)
def test_the_written_order_stays_but_where_another_is_clearly_better(
    found: tuple[EndpointCheck, ...], order: str
) -> None:
    ranking = rankings([found])[0]

    assert "".join(ranking.proposed) == order
    assert ranking.moves is (order != "".join(ranking.written))


def test_what_serves_some_nodes_comes_behind_what_serves_all() -> None:
    one = (endpoint_check("a", 0.1, Diagnosis.REFUSED), endpoint_check("b", 0.9))
    other = (endpoint_check("a", 0.1), endpoint_check("b", 0.9))

    assert rankings([one, other])[0].proposed == ("b", "a")


def test_lists_that_differ_between_nodes_are_ranked_apart() -> None:
    found = rankings(
        [(endpoint_check("a"), endpoint_check("b")), (endpoint_check("c"), endpoint_check("a"))]
    )

    assert [each.written for each in found] == [("a", "b"), ("c", "a")]


def test_a_cell_says_how_many_of_a_site_agree() -> None:
    found = cell(
        [endpoint_check("a"), endpoint_check("a"), endpoint_check("a", diagnosis=Diagnosis.REFUSED)]
    )

    assert found.text == "100 ms 2/3"


def test_nodes_behind_a_proxy_propose_no_other_order() -> None:
    checks = (endpoint_check("a", 3.0, proxy="http://p"), endpoint_check("b"))

    (ranking,) = rankings([checks])

    assert ranking.proposed == ("b", "a")
    assert ranking.reason == "containerd uses a proxy on these nodes, but the tests did not"
    assert not ranking.moves


def test_a_rank_counts_nodes_and_takes_the_median_of_those_that_were_served() -> None:
    nodes = [
        (endpoint_check("a", 1.0),),
        (endpoint_check("a", 3.0),),
        (endpoint_check("a", 1.5, Diagnosis.SLOW),),
        (endpoint_check("a", 9.0, Diagnosis.DROPS),),
    ]

    (rank,) = rankings(nodes)[0].ranks

    assert (rank.served, rank.tests) == (3, 4)
    assert (rank.seconds, rank.first_byte, rank.rate) == (1.5, 1.5, None)
    assert (rank.stale, rank.blocks, rank.proxied) == (False, False, False)


def test_an_endpoint_that_serves_no_node_has_no_times() -> None:
    (rank,) = rankings([(endpoint_check("a", 1.0, Diagnosis.REFUSED),)])[0].ranks

    assert (rank.seconds, rank.first_byte) == (None, None)


STANDINGS = {
    "serves all": ((Diagnosis.OK, Diagnosis.SLOW), 0),
    "serves some": ((Diagnosis.OK, Diagnosis.REFUSED), 1),
    "is stale": ((Diagnosis.OK, Diagnosis.STALE), 2),
    "serves none": ((Diagnosis.REFUSED, Diagnosis.REFUSED), 3),
    "ends a pull": ((Diagnosis.OK, Diagnosis.HANGS), 4),
    "is stale and ends a pull": ((Diagnosis.STALE, Diagnosis.PORTAL), 4),
}


@pytest.mark.parametrize(("diagnoses", "standing"), STANDINGS.values(), ids=list(STANDINGS))
def test_the_standing_of_an_endpoint(diagnoses: tuple[Diagnosis, ...], standing: int) -> None:
    nodes = [(endpoint_check("a", diagnosis=diagnosis),) for diagnosis in diagnoses]

    assert rankings(nodes)[0].ranks[0].standing == standing


OVERTAKES = {
    "twice the time, but not noticeably": (0.3, 0.11, "ab"),
    "noticeably": (0.31, 0.1, "ba"),
    "not twice the time": (3.9, 2.0, "ab"),
    "more than twice the time": (4.1, 2.0, "ba"),
    "equal": (1.0, 1.0, "ab"),
}


@pytest.mark.parametrize(("first", "second", "order"), OVERTAKES.values(), ids=list(OVERTAKES))
def test_an_endpoint_overtakes_another_if_it_is_clearly_quicker(
    first: float, second: float, order: str
) -> None:
    checks = (endpoint_check("a", first), endpoint_check("b", second))

    assert "".join(rankings([checks])[0].proposed) == order


CELLS: dict[str, tuple[list[EndpointCheck], str]] = {
    "one node": ([endpoint_check("a", 0.25)], "250 ms"),
    "seconds": ([endpoint_check("a", 1.25)], "1.2 s"),
    "slow": ([endpoint_check("a", 2.5, Diagnosis.SLOW)], "slow 2.5 s"),
    "a fault": ([endpoint_check("a", diagnosis=Diagnosis.NO_DNS)], "no dns"),
    "the graver of a draw": (
        [endpoint_check("a"), endpoint_check("a", diagnosis=Diagnosis.REFUSED)],
        "refused 1/2",
    ),
    "the median of those that agree": (
        [endpoint_check("a", seconds) for seconds in (0.1, 0.2, 0.9)]
        + [endpoint_check("a", 5.0, Diagnosis.DROPS)],
        "200 ms 3/4",
    ),
}


@pytest.mark.parametrize(("checks", "text"), CELLS.values(), ids=list(CELLS))
def test_the_text_of_a_cell(checks: list[EndpointCheck], text: str) -> None:
    assert cell(checks).text == text


def test_a_cell_without_a_time_names_its_diagnosis() -> None:
    assert Cell(Diagnosis.OK, 1, 1, None).text == "ok"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0004, "0 ms"), (0.999, "999 ms"), (1.0, "1.0 s"), (12.34, "12.3 s")]
)
def test_a_time_as_text(seconds: float, text: str) -> None:
    assert shown_time(seconds) == text

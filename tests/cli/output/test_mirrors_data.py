"""A mirror test as data: every step of every node, a matrix, the ranking, and what was written."""

from __future__ import annotations

from fleet.cli.output.mirrors_data import data, data_alone, matrix_of
from fleet.config.mirrors.yaml_order import ReorderResult
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.mirrors.check import Diagnosis
from fleet.core.mirrors.ranking import rankings
from fleet.engine.mirrors import SiteTested
from tests.support.checks import A, B, check

NODES = [
    SiteTested("w1", "eu", (check(A, seconds=0.1), check(B, seconds=0.2)), behind=1.5),
    SiteTested("w2", "eu", (check(A, seconds=0.3), check(B, Diagnosis.REFUSED, message="no"))),
    SiteTested(
        "w3", "", failure=Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "try again")
    ),
]


def test_nodes_of_a_site_share_a_cell() -> None:
    matrix = matrix_of(NODES)

    assert list(matrix) == [("docker.io", A), ("docker.io", B)]
    cell = matrix["docker.io", A]["eu"]
    assert (cell.diagnosis, cell.agree, cell.nodes) == (Diagnosis.OK, 2, 2)
    assert cell.seconds == 0.2


def test_nodes_without_a_site_share_a_cell_of_their_own() -> None:
    matrix = matrix_of([SiteTested("w1", "", (check(A),))])

    assert list(matrix["docker.io", A]) == ["-"]


def test_every_node_has_its_endpoints_and_steps() -> None:
    nodes = data(NODES, (), ())["nodes"]

    assert nodes["w1"]["site"] == "eu"
    assert nodes["w1"]["clock_behind"] == 1.5
    assert nodes["w1"]["endpoints"][0] == {
        "registry": "docker.io",
        "url": A,
        "image": None,
        "diagnosis": "ok",
        "message": "",
        "address": None,
        "digest": None,
        "first_byte": 0.1,
        "layer_bytes": None,
        "bytes_per_second": None,
        "proxy": None,
        "steps": [
            {
                "step": "manifest",
                "ok": True,
                "seconds": 0.1,
                "status": 200,
                "trouble": None,
                "words": "",
                "host": None,
            }
        ],
    }
    assert nodes["w2"]["endpoints"][1]["message"] == "no"
    assert (nodes["w3"]["site"], nodes["w3"]["failure"]["kind"]) == (None, "connect")


def test_the_matrix_is_by_registry_url_and_site() -> None:
    found = data(NODES, (), ())["matrix"]["docker.io"]

    assert found[A] == {"eu": {"diagnosis": "ok", "agree": 2, "nodes": 2, "first_byte": 0.2}}
    assert found[B]["eu"]["agree"] == 1


def test_the_ranking_has_both_orders() -> None:
    nodes = [(check(A, seconds=2.0), check(B, seconds=0.1, size=1 << 20))]

    (ranking,) = data([], rankings(nodes), ())["ranking"]

    assert (ranking["written"], ranking["proposed"]) == ([A, B], [B, A])
    assert (ranking["moves"], ranking["reason"]) == (True, "")
    assert ranking["endpoints"][0] == {
        "url": B,
        "served": 1,
        "asked": 1,
        "stale": False,
        "ends_pulls": False,
        "seconds": 0.6,
        "first_byte": 0.1,
        "bytes_per_second": 1 << 21,
    }


def test_the_orders_that_were_written_have_their_old_numbers() -> None:
    moved = ReorderResult("mirrors.docker.io.endpoints", ((2, B), (1, A)), written=True)

    assert data([], (), (moved,))["written"] == [
        {
            "place": "mirrors.docker.io.endpoints",
            "order": [{"url": B, "was": 2}, {"url": A, "was": 1}],
            "written": True,
            "reason": "",
        }
    ]


def test_one_node_alone_is_ranked_by_itself() -> None:
    found = data_alone(NODES[0])

    assert list(found["nodes"]) == ["w1"]
    assert [ranking["registry"] for ranking in found["ranking"]] == ["docker.io"]
    assert found["written"] == []

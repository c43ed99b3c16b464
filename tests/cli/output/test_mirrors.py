"""A mirror test as text: a matrix of sites, what is wrong, a ranking, and the orders written."""

from __future__ import annotations

from typing import Any

import pytest

from fleet.actions.mirrors import MirrorTestResult
from fleet.cli.output.mirrors import show_test
from fleet.config.mirrors.yaml_order import ReorderResult
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.mirrors.check import Diagnosis
from fleet.core.mirrors.ranking import rankings
from fleet.engine.mirrors import SiteTested
from tests.support.checks import A, B, check
from tests.support.settings import TEXT

GOOD = SiteTested("w1", "eu", (check(A, seconds=0.1), check(B, seconds=0.2)))


def shown(
    capsys: pytest.CaptureFixture[str],
    *nodes: SiteTested,
    moved: tuple[ReorderResult, ...] = (),
    write: bool = False,
) -> list[str]:
    ranked = rankings(node.results for node in nodes if node.failure is None)
    show_test(MirrorTestResult(list(nodes), ranked, moved), TEXT, write=write)
    return capsys.readouterr().out.splitlines()


def test_every_endpoint_is_a_row_and_every_site_a_column(
    capsys: pytest.CaptureFixture[str],
) -> None:
    slow = SiteTested("w2", "us", (check(A, seconds=0.3), check(B, Diagnosis.REFUSED)))

    lines = shown(capsys, GOOD, slow)

    assert [line.split() for line in lines[:4]] == [
        ["ENDPOINT", "eu", "us"],
        ["docker.io"],
        [A, "100", "ms", "300", "ms"],
        [B, "200", "ms", "refused"],
    ]


def test_without_sites_the_column_is_the_time(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, SiteTested("w1", "", (check(A, seconds=0.1),)))

    assert lines[0].split() == ["ENDPOINT", "FIRST", "BYTE"]


def test_what_is_wrong_is_printed_once_for_all_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    bad = check(B, Diagnosis.EXPIRED, message="it expired in May")

    lines = shown(capsys, SiteTested("w1", "", (bad,)), SiteTested("w2", "", (bad,)))

    place = lines.index(f"! {B} for docker.io: certificate expired")
    assert [line.strip() for line in lines[place + 1 : place + 3]] == [
        "it expired in May",
        "seen from w[1-2]",
    ]
    assert sum("it expired" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("behind", "text"),
    [(300, None), (301, "301 s behind ours"), (-301, "301 s ahead of ours"), (-300, None)],
)
def test_a_clock_that_is_far_off_is_noted(
    capsys: pytest.CaptureFixture[str], behind: float, text: str | None
) -> None:
    lines = shown(capsys, SiteTested("w1", "", (check(A),), behind=behind))

    assert [text for line in lines if "clock" in line] == ([text] if text else [])
    assert text is None or any(text in line for line in lines)


def test_a_proxy_is_noted_with_its_nodes(capsys: pytest.CaptureFixture[str]) -> None:
    nodes = [SiteTested(name, "", (check(A, proxy="http://p:3128"),)) for name in ("w1", "w2")]

    lines = shown(capsys, *nodes)

    assert sum(line.startswith("w[1-2]: note: ") for line in lines) == 1


def test_a_node_that_could_not_test_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    failure = Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "try again")

    lines = shown(capsys, GOOD, SiteTested("w9", "", failure=failure))

    assert lines[-2:] == ["! w9: timed out", "  remedy: try again"]


def ranking_lines(lines: list[str]) -> list[list[str]]:
    """Return the words of the rows below a registry's heading."""
    place = next(number for number, line in enumerate(lines) if line.startswith("docker.io: "))
    return [line.split() for line in lines[place + 2 :]]


def test_endpoints_are_ranked_with_their_present_place(capsys: pytest.CaptureFixture[str]) -> None:
    node = SiteTested("w1", "", (check(A, seconds=2.0), check(B, seconds=0.1, size=1 << 20)))

    lines = shown(capsys, node)

    assert "docker.io: suggested order (`fleet mirrors test --write` applies it)" in lines
    first, second, *_ = ranking_lines(lines)
    assert first[:6] == ["1", B, "2", "1/1", "100", "ms"]
    assert second[:5] == ["2", A, "1", "1/1", "2.0"]


def test_an_order_that_is_good_stays(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, GOOD)

    assert "docker.io: the order stays" in lines
    assert not any("--write" in line for line in lines)


def test_one_endpoint_is_not_ranked(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, SiteTested("w1", "", (check(A),)))

    assert not any(line.startswith("docker.io: ") for line in lines)


MOVES = SiteTested("w1", "", (check(A, seconds=2.0), check(B, seconds=0.1)))
WRITTEN = ReorderResult("mirrors.docker.io.endpoints", ((2, B), (1, A)), written=True)
STAYS = ReorderResult("mirrors.docker.io.endpoints", ((2, B), (1, A)), False, "it is an alias")
ORDERS: dict[str, Any] = {
    "proposed": ((), False, "`--write` puts the suggested order into mirrors.yaml"),
    "written": (
        (WRITTEN,),
        True,
        f"mirrors.yaml: mirrors.docker.io.endpoints is now {B} (was 2), {A} (was 1)",
    ),
    "not written": (
        (STAYS,),
        True,
        "mirrors.yaml: mirrors.docker.io.endpoints stays: it is an alias",
    ),
    "nowhere": ((), True, "mirrors.yaml holds no such list in a form that is written back"),
}


@pytest.mark.parametrize(("moved", "write", "line"), ORDERS.values(), ids=ORDERS)
def test_an_order_is_proposed_or_written(
    capsys: pytest.CaptureFixture[str], moved: tuple[ReorderResult, ...], write: bool, line: str
) -> None:
    assert shown(capsys, MOVES, moved=moved, write=write)[-1] == line

"""What is made of samples: medians, marks, tables, pages, and the file that keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.report import comparison, failures, placed
from benchmarks.sample import Key, Sample, figures, turned
from benchmarks.state import same_but_for_registry
from benchmarks.store import Store

LIMIT = Key(nodes=4, scenario="W", peer="sshtar-cv")
FLEET = Key(nodes=4, scenario="W", peer="fleet")


def sample(wall: float, *, key: Key = FLEET, foreign: float = 0.0, trouble: str = "") -> Sample:
    return Sample(key=key, round=0, wall=wall, client_cpu=2.0, foreign=foreign, trouble=trouble)


@pytest.mark.parametrize(
    ("samples", "runs", "wall"),
    [
        pytest.param([sample(1), sample(5), sample(2)], "3", 2, id="the median of all runs"),
        pytest.param([sample(1), sample(9, foreign=0.2)], "1", 1, id="without disturbed ones"),
        pytest.param([sample(9, foreign=0.2)], "1~", 9, id="marked where all were disturbed"),
        pytest.param([sample(1), sample(9, trouble="no")], "1", 1, id="without failed ones"),
    ],
)
def test_figures_are_medians_of_the_runs_that_count(
    samples: list[Sample], runs: str, wall: float
) -> None:
    found = figures(samples)

    assert found is not None
    assert (found.marked, found.wall) == (runs, wall)


def test_a_peer_that_never_reached_the_end_state_has_no_figures() -> None:
    bad = sample(1, trouble="w1: CRI is not healthy")

    assert figures([bad]) is None
    assert failures([bad]) == ["fleet, W, 4 nodes: w1: CRI is not healthy"]


def test_a_table_holds_the_ratio_to_the_limit_and_the_cost_of_a_node() -> None:
    text = comparison([sample(3), sample(2, key=LIMIT)])

    assert "**W, 4 nodes**" in text
    assert "| fleet | 1 | 3.00 | 1.50 | 2.00 | 500 | 0 | 0.00 |" in text


def test_every_round_begins_with_another_peer() -> None:
    assert [turned("abc", by) for by in range(4)] == [
        list("abc"),
        list("bca"),
        list("cab"),
        list("abc"),
    ]


def test_a_section_of_a_page_is_replaced_and_the_rest_kept() -> None:
    page = "head\n<!-- peers -->\nold\n<!-- /peers -->\ntail\n"

    assert placed(page, "peers", "new\n") == "head\n<!-- peers -->\nnew\n<!-- /peers -->\ntail\n"


def test_a_page_without_the_section_is_refused() -> None:
    with pytest.raises(ValueError, match="no section"):
        placed("text", "peers", "new")


def test_a_store_goes_on_where_it_was_broken_off(tmp_path: Path) -> None:
    Store(tmp_path / "samples").add(sample(1))
    store = Store(tmp_path / "samples")

    assert store.samples == [sample(1)]
    assert store.has(FLEET, 0)
    assert not store.has(FLEET, 1)


def test_a_failed_run_is_run_again_and_gives_way(tmp_path: Path) -> None:
    store = Store(tmp_path / "samples")
    store.add(sample(1, trouble="no"))
    assert not store.has(FLEET, 0)
    store.add(sample(2))

    assert Store(tmp_path / "samples").samples == [sample(2)]


_SHIPPED = 'version = 2\n[plugins."io.containerd.grpc.v1.cri".cni]\nbin_dir = "/b"\n'
_TABLE = '[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/etc/containerd/certs.d"\n'


@pytest.mark.parametrize(
    ("now", "same"),
    [
        pytest.param(_SHIPPED + _TABLE, True, id="config_path alone was added"),
        pytest.param(_SHIPPED, False, id="nothing was added"),
        pytest.param(_SHIPPED + _TABLE + "x = 1\n", False, id="the table says more"),
        pytest.param(_SHIPPED.replace("/b", "/c") + _TABLE, False, id="something else changed"),
    ],
)
def test_a_config_is_the_shipped_one_with_config_path(now: str, same: bool) -> None:
    assert same_but_for_registry(_SHIPPED, now) is same

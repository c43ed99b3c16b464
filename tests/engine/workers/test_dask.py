"""Workers of a Dask scheduler: which node goes where, and that nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.core.failure import Failure, FailureKind
from fleet.engine.workers.base import LostWorkerError, WorkerPool, map_nodes
from fleet.engine.workers.dask import DaskPool
from fleet.engine.workers.open_pool import open_pool
from fleet.errors import FleetError
from tests.engine.workers.test_base import Errand, die, die_once, errand, upper, where
from tests.support.cluster import DaskCluster, dask_cluster, forget_sockets

pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings(  # Dask leaves sockets to the collector
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path) as cluster:
        yield cluster


@pytest.fixture
def local() -> Iterator[WorkerPool]:
    with open_pool("dask", 2) as pool:
        yield pool


@pytest.fixture(autouse=True)
def _sockets() -> Iterator[None]:
    yield
    forget_sockets()


def at(site: str | None, name: str) -> Errand:
    order = errand(name, word=name)
    return replace(order, node=replace(order.node, site=site))


def test_nodes_go_to_the_workers_of_their_site(cluster: DaskCluster) -> None:
    edge = cluster.worker("--no-nanny", "--nthreads", "2", "--resources", "site-edge=1")
    core = cluster.worker("--no-nanny", "--nthreads", "2", "--resources", "site-core=1 site-dmz=1")
    orders = [at(site, f"{site}{n}") for site in ("edge", "core", "dmz", None) for n in range(6)]
    with open_pool(cluster.address, 8) as pool:
        while isinstance(dict(map_nodes(where, [at("edge", "x")], pool)).popitem()[1], Failure):
            pass  # one of them has not joined yet
        while isinstance(dict(map_nodes(where, [at("core", "y")], pool)).popitem()[1], Failure):
            pass
        found = dict(map_nodes(where, orders, pool))
        ((_, nobody),) = map_nodes(where, [at("moon", "m")], pool)

    pids = {site: {found[o] for o in orders if o.node.site == site} for site in ("edge", "core")}
    assert pids == {"edge": {edge.pid}, "core": {core.pid}}
    assert {found[o] for o in orders if o.node.site == "dmz"} == {core.pid}
    assert {found[o] for o in orders if o.node.site is None} <= {edge.pid, core.pid}
    assert isinstance(nobody, Failure)
    assert nobody.kind is FailureKind.WORKER
    assert "has no worker for site" in nobody.message
    assert '--resources "site-moon=1"' in nobody.remedy


def test_work_whose_worker_is_killed_is_done_once_more(local: WorkerPool, tmp_path: Path) -> None:
    found = dict(map_nodes(die_once, [errand("n", tmp_path / "mark")], local))

    assert list(found.values()) == ["done"]


def test_a_worker_that_is_started_anew_does_not_do_the_dead_one_s_work(
    cluster: DaskCluster, tmp_path: Path
) -> None:
    """A nanny gives its next worker the same address, and Dask sends it the same task."""
    mark = tmp_path / "mark"
    cluster.worker("--nanny", "--nthreads", "2", "--worker-port", "39471")

    with open_pool(cluster.address, 2) as pool:
        lost = pool.submit(die, errand("a", mark))
        error = lost.exception(60)
        answers = dict(map_nodes(upper, [errand("a", word="again")], pool))

    assert isinstance(error, LostWorkerError)
    assert mark.read_text() == "x"
    assert list(answers.values()) == ["AGAIN"]


def test_a_scheduler_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FleetError, match="no Dask scheduler answers"):
        DaskPool("tcp://127.0.0.1:1", 1, connect_seconds=1)

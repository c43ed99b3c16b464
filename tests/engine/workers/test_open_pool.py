"""The choice of a worker pool by its name."""

from __future__ import annotations

import pytest

from fleet.engine.workers.base import ThreadPool
from fleet.engine.workers.open_pool import open_pool
from fleet.engine.workers.processes import ProcessPool
from fleet.errors import FleetError


@pytest.mark.parametrize(("engine", "kind"), [("threads", ThreadPool), ("processes", ProcessPool)])
def test_a_pool_is_opened_by_its_name(engine: str, kind: type) -> None:
    with open_pool(engine, 4) as pool:
        assert isinstance(pool, kind)
        assert pool.parallel == 4


@pytest.mark.parametrize(
    "engine", ["", "thread", "http://10.0.0.5:8786", "tcp://", "tcp://a b", "10.0.0.5:8786"]
)
def test_an_unknown_engine_is_refused(engine: str) -> None:
    with pytest.raises(FleetError, match=r"expected threads, processes, dask, or the address"):
        open_pool(engine, 4).__enter__()


def test_a_pool_is_closed_at_the_end() -> None:
    with open_pool("threads", 1) as pool:
        pass

    with pytest.raises(RuntimeError):
        pool.submit(str, None)  # type: ignore[arg-type]

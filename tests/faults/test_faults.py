"""The short form of the fault suite: a few tries of every fault, each of which must end well."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.suite import CATALOGUE, Table, run
from tests.lab import Lab

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(1200)]
FEW = {200: 8, 50: 4, 40: 3, 30: 3, 20: 3, 10: 2}
SEED = 20261


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """Try everything once, side by side."""
    found = Table()
    plan = [(fault, FEW[fault.tries]) for fault in CATALOGUE]
    run(Lab.up(8), Path(tmp_path_factory.mktemp("faults")), plan, SEED, found)
    return found


@pytest.mark.parametrize("fault", CATALOGUE, ids=lambda fault: fault.name)
def test_a_node_is_old_or_new_and_working_whatever_happens(table: Table, fault: object) -> None:
    tries = [each for each in table.tries if each.fault == fault.name]

    assert len(tries) == FEW[fault.tries]
    assert [each for each in tries if not each.good] == []

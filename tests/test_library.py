"""The library's public names, and that importing fleet costs nothing."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import fleet
from fleet import access, drive, load, plan, survey
from fleet.core.model.outcome import NodeOutcome
from fleet.errors import ConfigErrors, FleetError
from fleet.node.work_order import Deadlines
from tests.conftest import ROOT
from tests.e2e.test_locks import AWAY, BACK, lock_of
from tests.lab import Lab
from tests.support.fleet import Fleet

PAGE = (ROOT / "docs" / "library.md").read_text()


def test_importing_fleet_alone_imports_nothing_of_it() -> None:
    asked = "import sys, fleet; print([m for m in sys.modules if m.startswith('fleet.')])"
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert ran.stdout == "[]\n"


@pytest.mark.parametrize("name", fleet.api.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert name in dir(fleet)
    assert getattr(fleet, name).__doc__
    assert f"`{name}" in PAGE


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = fleet.nonsense


def test_mistakes_are_exceptions_and_unreachable_nodes_are_values(offline: Fleet) -> None:
    folder = offline.folder
    offline.write("inventory.yaml", "all: {hosts: {a: {host: 127.0.0.1, port: 1}, b: {}}}\n")
    files = load(folder / "inventory.yaml", folder / "mirrors.yaml")

    (found,) = survey(files, "a", how=access("/dev/null", seconds=2))
    rollout = plan([found], files.inventory)

    assert found.facts is None
    assert rollout.batches == ()
    assert rollout.settled["a"].status == "unreachable"
    with pytest.raises(FleetError):
        survey(files, "nobody")
    offline.write("inventory.yaml", "all: {host: {}}\n")
    with pytest.raises(ConfigErrors):
        load(folder / "inventory.yaml", folder / "mirrors.yaml")


@pytest.mark.e2e
def test_locks_are_released_although_a_node_was_away_and_the_caller_failed(
    nodes: Lab, fleet: Fleet
) -> None:
    """One node is away at its turn; when that is reported it is back, and the caller raises."""
    files = load(fleet.folder / "inventory.yaml", fleet.folder / "mirrors.yaml")
    how = access(fleet.ssh_config, seconds=3)
    names = ("bookworm1", "trixie1", "forky1")
    rollout = plan(
        survey(files, ",".join(names), how=how),
        files.inventory,
        batch="1",
        max_failures="2",
        verify=False,
        deadlines=Deadlines(soak=0),
    )

    def observe(outcome: NodeOutcome) -> None:
        if (outcome.node, outcome.status) == ("bookworm1", "converged"):
            nodes.nodes["trixie1"].sh(AWAY)
        elif outcome.status == "unreachable":
            assert [lock_of(nodes, name) for name in names] == ["", rollout.id, rollout.id]
            nodes.nodes["trixie1"].sh(BACK)
            raise ValueError(outcome.node)

    with pytest.raises(ValueError, match="trixie1"):
        drive(rollout, how=how, observe=observe)

    assert [lock_of(nodes, name) for name in names] == ["", "", ""]


@pytest.mark.e2e
def test_the_example_runs_on_a_real_node(nodes: Lab, fleet: Fleet) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    fleet.write("ssh_config", nodes.ssh_config.read_text())

    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=fleet.folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "forky1 converged"
    assert fleet("probe", "-l", "forky1", "--json").json["nodes"]["forky1"]["state"] == "in sync"

"""The library's public names, and that importing fleet costs nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import fleet
from fleet import RolloutOptions, access, drive, load, plan, resume, rollout, survey
from fleet.core.model.outcome import NodeOutcome
from fleet.errors import ConfigErrors, FleetError
from fleet.node.work_order import Deadlines
from tests.conftest import ROOT
from tests.e2e.test_locks import AWAY, BACK, lock_of
from tests.e2e.test_resume import killed_after
from tests.lab import Lab
from tests.support.fleet import Fleet

PAGE = (ROOT / "docs" / "how-to" / "python.md").read_text()


def test_importing_fleet_alone_imports_nothing_of_it() -> None:
    asked = "import sys, fleet; print([m for m in sys.modules if m.startswith('fleet.')])"
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert ran.stdout == "[]\n"


@pytest.mark.parametrize("name", fleet.api.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert name in dir(fleet)


def test_examples_are_typed_as_strictly_as_fleet_itself(tmp_path: Path) -> None:
    for number, example in enumerate(re.findall(r"```py(?:thon)?\n(.*?)```", PAGE, re.DOTALL)):
        (tmp_path / f"example_{number}.py").write_text(example)
    flags = ("--strict", "--cache-dir", str(ROOT / ".mypy_cache"), "--no-error-summary")

    ran = subprocess.run(
        [sys.executable, "-m", "mypy", *flags, *tmp_path.glob("*.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert len(list(tmp_path.glob("*.py"))) == 4
    assert (ran.returncode, ran.stdout) == (0, "")


def test_unreachable_nodes_are_values_everywhere(offline: Fleet) -> None:
    folder = offline.folder
    offline.write("inventory.yaml", "all: {hosts: {a: {host: 127.0.0.1, port: 1}}}\n")
    files = load(folder / "inventory.yaml", folder / "mirrors.yaml")
    how = access("/dev/null", seconds=2)

    (verified,) = fleet.verify(files, how=how)
    (drifted,) = fleet.drift(files, how=how)
    removed = fleet.remove(files, how=how)

    assert verified.status is fleet.NodeStatus.UNREACHABLE
    assert (drifted.node, drifted.files) == ("a", ())
    assert drifted.state is fleet.NodeState.UNREACHABLE
    assert drifted.failure is not None
    assert drifted.failure.kind is fleet.FailureKind.CONNECT
    assert removed.outcomes["a"].status is fleet.NodeStatus.UNREACHABLE
    with pytest.raises(FleetError, match="there is no rollout to undo"):
        fleet.undo(files, journal=folder / "none.db", how=how)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = fleet.nonsense


def test_mistakes_are_exceptions_and_unreachable_nodes_are_values(offline: Fleet) -> None:
    folder = offline.folder
    offline.write("inventory.yaml", "all: {hosts: {a: {host: 127.0.0.1, port: 1}, b: {}}}\n")
    files = load(folder / "inventory.yaml", folder / "mirrors.yaml")

    (found,) = survey(files, "a", how=access("/dev/null", seconds=2))
    planned = plan([found], files.inventory)

    assert found.facts is None
    assert planned.batches == ()
    assert planned.settled["a"].status == "unreachable"
    with pytest.raises(FleetError):
        survey(files, "nobody")
    offline.write("inventory.yaml", "all: {host: {}}\n")
    with pytest.raises(ConfigErrors):
        load(folder / "inventory.yaml", folder / "mirrors.yaml")


def test_a_rollout_over_unreachable_nodes_is_journaled_and_is_not_resumed(offline: Fleet) -> None:
    folder, journal = offline.folder, offline.folder / ".fleet" / "journal.db"
    offline.write("inventory.yaml", "all: {hosts: {a: {host: 127.0.0.1, port: 1}}}\n")
    files = load(folder / "inventory.yaml", folder / "mirrors.yaml")
    how = access("/dev/null", seconds=2)

    result = rollout(files, how=how, options=RolloutOptions(max_failures="1"), journal=journal)
    silent = rollout(files, how=how)

    assert (result.status, result.outcomes["a"].status) == ("finished", "unreachable")
    listed = offline("history", "--json").json["rollouts"]
    assert [each["rollout"] for each in listed] == [result.rollout]
    shown = offline("history", result.rollout).stdout
    assert "a: cannot connect: connection refused (" in shown
    assert "remedy: run `ssh -v` with this user, address and port to see why" in shown
    assert silent.outcomes["a"].status == "unreachable"
    with pytest.raises(FleetError, match="nothing to resume"):
        resume(files, result.rollout, journal=journal, how=how)
    with pytest.raises(FleetError, match="--batch"):
        rollout(files, how=how, options=RolloutOptions(batch="0"))


def test_only_the_nodes_of_a_rerun_are_rolled_out_again(offline: Fleet) -> None:
    folder, journal = offline.folder, offline.folder / ".fleet" / "journal.db"
    offline.write("inventory.yaml", "all: {hosts: {a: {host: 127.0.0.1, port: 1}, b: {port: 1}}}\n")
    files = load(folder / "inventory.yaml", folder / "mirrors.yaml")
    how = access("/dev/null", seconds=2)
    first = rollout(files, "a", how=how, journal=journal)

    options = RolloutOptions(rerun=("unreachable", first.rollout))
    again = rollout(files, how=how, options=options, journal=journal)

    assert list(again.outcomes) == ["a"]
    for other in (("failed", first.rollout), ("all", first.rollout), ("failed", "x")):
        with pytest.raises(FleetError):
            rollout(files, how=how, options=RolloutOptions(rerun=other), journal=journal)
    with pytest.raises(FleetError, match="journal="):
        rollout(files, how=how, options=options)
    with pytest.raises(FleetError, match="cannot name a file"):
        rollout(files, "@a", how=how)


@pytest.mark.e2e
def test_locks_are_released_although_a_node_was_away_and_the_caller_failed(
    nodes: Lab, fleet: Fleet
) -> None:
    """One node is away at its turn; when that is reported it is back, and the caller raises."""
    files = load(fleet.folder / "inventory.yaml", fleet.folder / "mirrors.yaml")
    how = access(fleet.ssh_config, seconds=3)
    names = ("bookworm1", "trixie1", "forky1")
    planned = plan(
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
            assert [lock_of(nodes, name) for name in names] == ["", planned.id, planned.id]
            nodes.nodes["trixie1"].sh(BACK)
            raise ValueError(outcome.node)

    with pytest.raises(ValueError, match="trixie1"):
        drive(planned, how=how, observe=observe)

    assert [lock_of(nodes, name) for name in names] == ["", "", ""]


def run_example(nodes: Lab, fleet: Fleet, number: int) -> list[str]:
    """Run an example of the page, and return the lines that it printed."""
    example = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[number]
    fleet.write("ssh_config", nodes.ssh_config.read_text())
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=fleet.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


@pytest.mark.e2e
def test_the_example_runs_on_a_real_node(nodes: Lab, fleet: Fleet) -> None:
    assert run_example(nodes, fleet, 0)[-1] == "forky1 converged"
    assert fleet("probe", "-l", "forky1", "--json").json["nodes"]["forky1"]["state"] == "in sync"


@pytest.mark.e2e
def test_a_rollout_from_python_is_journaled_and_rolled_back(nodes: Lab, fleet: Fleet) -> None:
    lines = run_example(nodes, fleet, 1)

    rollouts = fleet("history", "--json").json["rollouts"]
    assert lines[-1] == "forky1 converged None"
    assert [(each["kind"], each["status"]) for each in rollouts] == [
        ("rollback", "finished"),
        ("rollout", "finished"),
    ]
    assert lines[0].split()[0] == rollouts[1]["rollout"]
    assert fleet("diff", "-l", "forky1", "--exit-code").code == 4

    more = run_example(nodes, fleet, 2)
    assert more[-2:] == ["forky1 None []", "undo finished"]
    assert fleet("probe", "-l", "forky1", "--json").json["nodes"]["forky1"]["state"] == "unmanaged"


@pytest.mark.e2e
def test_a_rollout_of_the_command_is_resumed_from_python(nodes: Lab, fleet: Fleet) -> None:
    killed_after(fleet, "bookworm1: started", "-l", "bullseye1,bookworm1")
    files = load(fleet.folder / "inventory.yaml", fleet.folder / "mirrors.yaml")

    result = resume(
        files, journal=fleet.folder / ".fleet" / "journal.db", how=access(fleet.ssh_config)
    )

    assert result.status == "finished"
    assert {end.status for end in result.outcomes.values()} == {"converged"}
    assert fleet("history", result.rollout, "--json").json["status"] == "finished"
    assert [lock_of(nodes, name) for name in ("bullseye1", "bookworm1")] == ["", ""]

"""The terminal as a user interface: what it prints, and when a question cannot be asked."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from fleet.cli.options import Settings
from fleet.cli.terminal import Terminal, journal_files
from fleet.core.failure import Failure, FailureKind, Step
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan
from fleet.engine.survey import NodeSurvey
from fleet.errors import FleetError

NODE = Node(name="w1", host="w1")


def settings(**flags: Any) -> Settings:
    defaults = {
        "inventory": Path("inventory.yaml"), "mirrors": Path("mirrors.yaml"), "limit": None,
        "exclude": None, "ssh_config": None, "as_json": False, "quiet": False, "verbose": 0,
        "color": False,
    }  # fmt: skip
    return Settings(**{**defaults, **flags})


def test_without_a_terminal_only_yes_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())

    Terminal(settings(), yes=True).confirm(3)
    with pytest.raises(FleetError, match="not a terminal: add --yes to apply"):
        Terminal(settings()).confirm(3)
    with pytest.raises(FleetError, match="not a terminal: add --yes to continue"):
        Terminal(settings()).require_answer("continue")


def test_a_survey_counts_its_nodes_and_those_not_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lost = Failure(FailureKind.CONNECT, Step.CONNECT, "timed out", "try again")
    terminal = Terminal(settings())

    terminal.surveyed(NodeSurvey(NODE, None, NodePlan(node=NODE, failure=lost)), 7, 120)
    for number in (8, 50, 120):
        terminal.surveyed(NodeSurvey(NODE, None, NodePlan(node=NODE)), number, 120)

    assert capsys.readouterr().err.splitlines() == [
        "probe 50/120, 1 not read",
        "probe 120/120, 1 not read",
    ]


@pytest.mark.parametrize("flag", ["as_json", "quiet"])
def test_plans_are_not_printed_for_a_script(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    plans = [NodePlan(node=NODE)]

    Terminal(settings(**{flag: True})).plans(plans, str)
    silent = capsys.readouterr().out
    Terminal(settings()).plans(plans, str)

    assert silent == ""
    assert "No changes: 1 node" in capsys.readouterr().out


def test_the_journal_is_beside_its_inventory_unless_another_one_is_chosen(tmp_path: Path) -> None:
    chosen = settings(inventory=tmp_path / "hosts.yaml")

    assert journal_files(chosen, None).journal == tmp_path / ".fleet" / "journal.db"
    assert journal_files(chosen, "other.db").journal == Path("other.db")
    assert journal_files(chosen, None).inventory == tmp_path / "hosts.yaml"

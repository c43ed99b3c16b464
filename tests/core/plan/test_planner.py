"""The planner: how often it reads a node's files."""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from fleet.core.model.change import ManagedFile
from fleet.core.model.node import Node
from fleet.core.plan.planner import plan_node
from tests.node.record import ANSWERS
from tests.node.test_probe import WISHES, facts_of


@pytest.mark.parametrize("suite", ["bullseye", "bookworm", "trixie", "forky"])
def test_a_plan_parses_each_file_of_a_config_once(
    suite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = facts_of((ANSWERS / f"{suite}.txt").read_text())
    assert facts.config_text is not None
    text = f"{facts.config_text}\n# not read before by any test: {suite}\n"
    files = {**facts.files, facts.config.path: ManagedFile(text.encode())}
    parses: Counter[str] = Counter()
    loads = tomllib.loads

    def counting(text: str) -> dict[str, Any]:
        parses[text] += 1
        return loads(text)

    monkeypatch.setattr(tomllib, "loads", counting)
    plan = plan_node(Node(name="n", host="n"), replace(facts, files=files), WISHES)

    edited = [change.after.content.decode() for change in plan.changes if change.after]
    configs = [content for content in edited if content.startswith(text[:40])]
    assert plan.failure is None
    assert parses[text] == 1
    assert configs
    assert [parses[content] for content in configs] == [1] * len(configs)

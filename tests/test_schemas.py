"""Every command has a published schema of its --json, and mistakes fit them all."""

from __future__ import annotations

import jsonschema
import pytest

from fleet.cli.app import fleet
from fleet.cli.output.json_schema import OUTPUTS, output_schema
from tests.support.fleet import Fleet
from tests.support.schemas import closed, fits

COMMANDS = sorted(fleet.commands)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_valid_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(output_schema(name))


def test_no_schema_is_of_a_command_that_is_gone() -> None:
    assert sorted(OUTPUTS) == COMMANDS


def test_a_closed_schema_refuses_what_nobody_has_published() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"ok": True, "problems": [], "more": 1}, closed(OUTPUTS["check"]))


def test_the_answers_of_offline_commands_fit(offline: Fleet) -> None:
    fits("check", offline("check", "--json").json)
    fits("inventory", offline("inventory", "--json").json)
    fits("history", offline("history", "--json").json)
    fits("schema", offline("schema", "mirrors", "--json").json)
    fits("render", offline("render", "--containerd", "1.7", "--out", "out", "--json").json)
    offline.edit("mirrors.yaml", "version: 1", "verse: 1")
    fits("check", offline("check", "--json").json)
    fits("rollout", offline("rollout", "--json").json)


def test_the_schema_of_an_answer_is_printed(offline: Fleet) -> None:
    assert offline("schema", "output", "rollout").json == output_schema("rollout")
    unknown = offline("schema", "output")
    assert (unknown.code, "rollback, drift" in unknown.stderr) == (2, True)

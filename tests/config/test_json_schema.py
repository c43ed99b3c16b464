"""The schemas that editors get agree with the readers, as far as a schema can."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from fleet.config.json_schema import inventory_schema, mirrors_schema
from fleet.config.mirrors.endpoint import ENDPOINT_KEYS
from tests.config.test_sources import KUBESPRAY
from tests.conftest import ROOT
from tests.support.fleet import Fleet

GOOD_MIRRORS = {
    "version": 1,
    "defaults": {"capabilities": ["pull", "resolve"], "fallback": "allow", "dial_timeout": "3s"},
    "mirrors": {
        "docker.io": {
            "endpoints": [
                "https://a.example",
                {"url": "https://b.example/v2/x", "override_path": True, "ca": "certs/x.crt"},
            ],
            "verify": "docker.io/library/busybox:1.36",
        },
        "*": {"endpoint": ["http://c.example:5000"], "fallback": "never"},
    },
    "configs": {"b.example": {"auth": {"password": "env:X"}, "tls": {"ca_file": "x"}}},
    "overrides": [{"match": "edge", "mirrors": {"docker.io": {"fallback": "never"}}}],
}
BAD_MIRRORS: dict[str, dict[str, Any]] = {
    "an unknown key": {"registries": {}},
    "no scheme": {"mirrors": {"docker.io": {"endpoints": ["a.example"]}}},
    "no endpoints": {"mirrors": {"docker.io": {"endpoints": []}}},
    "an unknown capability": {"defaults": {"capabilities": ["pul"]}},
    "a duration that is none": {"defaults": {"dial_timeout": "3"}},
}


def test_the_shipped_files_fit_their_schemas() -> None:
    jsonschema.validate(yaml.safe_load((ROOT / "inventory.yaml").read_text()), inventory_schema())
    jsonschema.validate(yaml.safe_load((ROOT / "mirrors.yaml").read_text()), mirrors_schema())


def test_the_first_lines_of_new_files_lead_editors_to_their_schemas(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    Fleet(tmp_path, "/nonexistent")("init", "-i", "a/hosts.yaml", "-m", "b/mirrors.yaml")

    for path in (
        tmp_path / "a" / "hosts.yaml",
        tmp_path / "b" / "mirrors.yaml",
        tmp_path / "b" / "mirrors.example.yaml",
    ):
        text = path.read_text()
        found = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
        assert found
        schema = json.loads((path.parent / found[1]).read_text())
        jsonschema.validate(yaml.safe_load(text), schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"all": {"host": {}}}, schema)


def test_good_files_of_all_shapes_fit() -> None:
    jsonschema.validate(GOOD_MIRRORS, mirrors_schema())
    jsonschema.validate(yaml.safe_load(KUBESPRAY), inventory_schema())


@pytest.mark.parametrize("body", BAD_MIRRORS.values(), ids=list(BAD_MIRRORS))
def test_mistakes_do_not_fit(body: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body, mirrors_schema())


def test_a_misplaced_key_of_a_group_does_not_fit() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"all": {"host": {"w1": {}}}}, inventory_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"all": {"hosts": {"w1": {"port": "ssh"}}}}, inventory_schema())


def test_every_key_of_an_endpoint_is_in_the_schema() -> None:
    text = json.dumps(mirrors_schema())

    assert [key for key in ENDPOINT_KEYS if f'"{key}"' not in text] == []


@pytest.mark.parametrize("name", ["inventory", "mirrors"])
def test_the_command_prints_a_valid_schema(offline: Fleet, name: str) -> None:
    ran = offline("schema", name)

    assert ran.code == 0
    jsonschema.Draft202012Validator.check_schema(ran.json)

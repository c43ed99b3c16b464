"""The daemon of a node, as the probe's records tell of it."""

from __future__ import annotations

import base64

import pytest

from fleet.core.model.facts import RancherFacts
from fleet.node.daemon import read_daemon
from fleet.node.script import Reply


def settings(**values: str) -> RancherFacts:
    """Return the settings in a reply with these values, of a unit that began at 1000 s."""
    unit = "ExecMainStartTimestampMonotonic=500000000\nrc 0"
    records = {"now": "1600", "uptime": "1100", "unit": unit, **values}
    fields = ((key, base64.b64encode(text.encode()).decode()) for key, text in records.items())
    return read_daemon(Reply([(key, (field,)) for key, field in fields])).rancher


def test_all_settings_are_read() -> None:
    found = settings(
        registries="/r.yaml", data_dir="/data", tools="/data/bin", no_upstream="1", docker="1"
    )

    assert found == RancherFacts(
        registries="/r.yaml", data_dir="/data", tools="/data/bin", no_upstream=True, docker=True
    )


PROGRAMS = {
    "not replaced": ({"program_changed": "900"}, False),
    "replaced as the unit began": ({"program_changed": "1000"}, False),
    "replaced later": ({"program_changed": "1200"}, True),
    "another file than the one that runs": ({"program_replaced": "1"}, True),
}


@pytest.mark.parametrize(("values", "replaced"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_that_was_replaced_is_noticed(values: dict[str, str], *, replaced: bool) -> None:
    assert settings(**values).replaced is replaced

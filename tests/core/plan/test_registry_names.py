"""The registries that a node has or had settings for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.model.change import ManagedFile
from fleet.core.model.generation import Generation, ManifestEntry
from fleet.core.model.owned_state import STATE_FILE, OwnedState
from fleet.core.plan.registry_names import refuse_unknown_registry, registry_names
from fleet.errors import FleetError
from tests.support.build import CONFIG, facts_with

CERTS = "/etc/containerd/certs.d"
TABLE = """version = 2
[plugins."io.containerd.grpc.v1.cri".registry.mirrors."{}"]
  endpoint = ["https://m.example"]
"""
RECORD = OwnedState("g1", {}, ('mirrors."gcr.io"', 'configs."m.example".auth'))
OLD = (
    ManifestEntry(f"{CERTS}/r_5000_/hosts.toml", ManagedFile(b"broken [")),
    ManifestEntry(f"{CERTS}/new.example/hosts.toml", None),
    ManifestEntry(CONFIG, ManagedFile(TABLE.format("index.docker.io").encode())),
    ManifestEntry(STATE_FILE, ManagedFile(RECORD.render())),
)
FACTS = replace(
    facts_with({f"{CERTS}/quay.io/hosts.toml": "", CONFIG: TABLE.format("*")}),
    generations=(Generation("g1", OLD),),
)


def test_files_folders_tables_and_records_name_them() -> None:
    names = {"quay.io", "_default", "r:5000", "new.example", "docker.io", "gcr.io"}

    assert registry_names(FACTS) == names


def test_one_node_that_knows_the_registry_is_enough() -> None:
    refuse_unknown_registry("quay.io", [facts_with({}), FACTS])


@pytest.mark.parametrize(
    ("name", "hint"), [("qauy.io", r' \(did you mean "quay.io"\?\)$'), ("x.test", r'"x.test"$')]
)
def test_an_unknown_registry_is_refused_with_a_near_name(name: str, hint: str) -> None:
    with pytest.raises(FleetError, match=f"no node has or had settings for .*{hint}"):
        refuse_unknown_registry(name, [FACTS])

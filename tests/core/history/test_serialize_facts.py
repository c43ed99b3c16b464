"""Facts as data: the state of a node, and the place where its containerd looks for mirrors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fleet.core.containerd.config import CRI_1
from fleet.core.history.serialize_facts import facts_data, registry_config
from fleet.core.model.facts import Answer, CriFacts, NodeFacts, UnitState
from tests.core.history.test_serialize import PLAN
from tests.support.build import CONFIG, facts_with

HEALTHY = replace(PLAN, findings=())


def with_dump(text: str, code: int = 0) -> NodeFacts:
    facts = facts_with({CONFIG: ""})
    return replace(facts, config=replace(facts.config, dump=Answer(text, code)))


REGISTRY = f'[plugins."{CRI_1}".registry'
PLACES = {
    "a directory": (f'{REGISTRY}]\nconfig_path = "/c"\n', "/c"),
    "mirrors": (f'{REGISTRY}.mirrors.a]\nendpoint = ["b"]\n', CONFIG),
    "both": (f'{REGISTRY}]\nconfig_path = "/c"\n{REGISTRY}.mirrors.a]\nendpoint = []\n', "/c"),
    "neither": (f"{REGISTRY}]\n", None),
    "nothing": ("", None),
    "no TOML": ("[", None),
}


@pytest.mark.parametrize(("dump", "place"), PLACES.values(), ids=list(PLACES))
def test_where_containerd_looks_for_mirrors(dump: str, place: str | None) -> None:
    assert registry_config(with_dump(dump)) == place


def test_a_config_that_containerd_refuses_has_no_place_for_mirrors() -> None:
    assert registry_config(with_dump("", 1)) is None


def test_facts_as_data() -> None:
    facts = with_dump(f'{REGISTRY}]\nconfig_path = "/c"\n')
    facts = replace(
        facts,
        cri=CriFacts(state="ok", crictl="/usr/bin/crictl", runtime_ready=True),
        daemon=replace(facts.daemon, unit=UnitState(active="active", sub="running"), owner="k3s"),
    )

    data: dict[str, Any] = facts_data(facts, HEALTHY)

    assert data == {
        "state": "unmanaged",
        "outdated": False,
        "unconfirmed": None,
        "distribution": "",
        "containerd": "1.7.24",
        "installed": "1.7.24",
        "strategy": "certs.d",
        "config": CONFIG,
        "registry_config": "/c",
        "unit": "active/running",
        "cri": "ok",
        "runtime_ready": True,
        "crictl": "/usr/bin/crictl",
        "generation": None,
        "owner": "k3s",
        "role": "control-plane",
        "role_evidence": ["process etcd"],
        "etcd": None,
        "notes": ["a note"],
        "conflicts": [],
        "failure": None,
    }


def test_a_node_without_a_daemon_or_a_config_has_none_in_its_data() -> None:
    data = facts_data(NodeFacts(), HEALTHY)

    assert (data["containerd"], data["installed"], data["config"]) == (None, None, None)

"""The check of a staged config's registry tables, by what the daemon's dump says."""

from __future__ import annotations

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan, PlannedConfig
from fleet.node.effective import refuse_ineffective

HEAD = "[plugins.'io.containerd.cri.v1.images'.registry"
PLAN = NodePlan(
    node=Node(name="n", host="n"),
    containerd="2.1.9",
    config=PlannedConfig(
        intended_registry={
            "config_path": "/certs",
            "configs": {"h": {"auth": {"password": "s3cret"}}},
        }
    ),
)
LOGIN = f"{HEAD}.configs.h.auth]\n  password = 's3cret'\n"

REFUSED = {
    "another directory": f"{HEAD}]\n  config_path = '/old'\n{LOGIN}",
    "no directory": f"{HEAD}]\n  config_path = ''\n{LOGIN}",
    "no login": f"{HEAD}]\n  config_path = '/certs'\n",
    "another password": f"{HEAD}]\n  config_path = '/certs'\n{LOGIN.replace('s3', 's4')}",
    "mirrors that nobody meant": (
        f"{HEAD}]\n  config_path = '/certs'\n{LOGIN}{HEAD}.mirrors.x]\n  endpoint = ['https://y']\n"
    ),
    "no tables": "",
    "no TOML": f"{HEAD}\n",
}


@pytest.mark.parametrize("tables", REFUSED.values(), ids=REFUSED)
def test_what_is_not_as_meant_is_refused_without_a_secret(tables: str) -> None:
    with pytest.raises(NodeError) as raised:
        refuse_ineffective(PLAN, tables)

    failure = raised.value.failure
    assert (failure.kind, failure.step) == (FailureKind.VALIDATE, "validate")
    assert "s3cret" not in failure.message


def test_what_is_as_meant_passes() -> None:
    refuse_ineffective(PLAN, f"{HEAD}]\n  config_path = '/certs'\n  unknown = 1\n{LOGIN}")

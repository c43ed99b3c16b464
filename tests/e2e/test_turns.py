"""Turns at a mirror, on real nodes, by the mirror's own access log."""

from __future__ import annotations

import time

import pytest

from tests.conftest import NODES
from tests.lab import Lab
from tests.support.fleet import Fleet

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("crictl")]
ONE = """
version: 1
mirrors:
  docker.io:
    endpoints: [https://docker.m.daocloud.io]
    verify: docker.io/library/busybox:1.36
"""


def test_nodes_that_have_one_turn_in_common_pull_one_after_the_other(
    nodes: Lab, fleet: Fleet
) -> None:
    fleet.write("mirrors.yaml", ONE)
    assert fleet("rollout", "-y", "--batch", "4", "--soak", "0", "--no-verify").code == 0
    time.sleep(1.1)  # the mirror's log tells whole seconds
    since = time.time()

    ran = fleet("verify", "--per-mirror", "1", "--json")

    assert ran.code == 0, ran.text
    for name in NODES:
        (verdict,) = ran.json["nodes"][name]["verified"]
        assert (verdict["served"], "beyond the limit" in verdict["detail"]) == ("mirror", False)
    access = nodes.registry.access(since)
    asked = [each.remote.split(":")[0] for each in access if "/busybox/" in each.path]
    turns = [asked[i] for i in range(len(asked)) if i == 0 or asked[i] != asked[i - 1]]
    assert sorted(turns) == sorted(nodes.nodes[name].address for name in NODES), turns

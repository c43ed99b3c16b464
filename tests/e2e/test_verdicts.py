"""Verdicts against the mirrors' own access logs: who served is known, or said not to be.

Every scenario is a registry of its own in one mirrors.yaml, so that one proof of the four nodes
tells of all of them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import NODES
from tests.lab import Lab
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e
FLAKY, SECOND, UPSTREAM = "flaky.lab.test", "docker.m.daocloud.io", "registry.lab.test"
LOGIN = "login.lab.test"
DEAD = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the first mirror does over an image, and who serves it then."""

    image: str
    mode: str
    mirror: str | None
    served: str = "mirror"
    first: str = f"http://{FLAKY}"
    second: str = f"https://{SECOND}"
    told: str = ""

    @property
    def registry(self) -> str:
        return self.image.partition("/")[0]

    @property
    def repository(self) -> str:
        return self.image.partition("/")[2].partition(":")[0]


SCENARIOS = {
    "a live first mirror": Scenario("docker.io/library/busybox:1.36", "ok", FLAKY),
    "a dead first mirror": Scenario(
        "quay.io/prometheus/busybox:latest", "ok", SECOND, first=DEAD, told="was passed over"
    ),
    "a first mirror that says 404": Scenario(
        "registry.k8s.io/pause:3.9", "404", SECOND, told="(404 Not Found)"
    ),
    "a first mirror that says 401": Scenario(
        "gcr.io/distroless/static:latest", "401", SECOND, told="(401 Unauthorized)"
    ),
    "a first mirror that says 403": Scenario(
        "ghcr.io/fluxcd/source-controller:v1.4.1", "403", SECOND, told="(403 Forbidden)"
    ),
    "a first mirror that says 500": Scenario(
        "rocks.canonical.com/cdk/pause:3.9", "500", SECOND, told="(500 Internal Server Error)"
    ),
    "a first mirror that says 403 to layers alone": Scenario(
        "docker.elastic.co/beats/filebeat:8.15.0", "403-blobs", SECOND, told="not in its allow-list"
    ),
    "a first mirror with a stale tag": Scenario(
        "nvcr.io/nvidia/k8s-device-plugin:v0.16.2", "stale", FLAKY
    ),
    "a first mirror that wants a login, which CRI has": Scenario(
        "mcr.microsoft.com/oss/kubernetes/pause:3.6", "login", None, "unknown",
        first=f"http://{LOGIN}", told="wants credentials",
    ),
    "mirrors that have nothing, and upstream": Scenario(
        f"{UPSTREAM}/charm/pause:1.0", "404", UPSTREAM, "upstream", second=DEAD
    ),
}  # fmt: skip
HEAD = f"""
version: 1
configs: {{"{LOGIN}": {{auth: {{username: robot, password: env:LAB_SECRET}}}}}}
mirrors:
"""
SECRET = {"LAB_SECRET": "hunter2"}


def mirrors_file() -> str:
    return HEAD + "".join(
        f"  {each.registry}:\n    endpoints: ['{each.first}', '{each.second}']\n"
        f"    verify: '{each.image}'\n"
        for each in SCENARIOS.values()
    )


def truth(lab: Lab, address: str, since: float, each: Scenario) -> list[str]:
    """Return the hosts that gave a node the blobs of a scenario, by their own logs."""
    found = []
    for registry in (lab.flaky, lab.registry):
        for access in registry.access(since):
            path, _, query = access.path.partition("?")
            wanted = path.startswith(f"/v2/{each.repository}/blobs/") and access.status == 200
            if wanted and access.method == "GET" and access.remote.split(":")[0] == address:
                second = SECOND if "ns=" in query else UPSTREAM
                found.append(FLAKY if registry is lab.flaky else second)
    return found


def verdicts(document: Mapping[str, Any], name: str) -> dict[str, Mapping[str, Any]]:
    by_image = {each["image"]: each for each in document["nodes"][name]["verified"]}
    return {title: by_image[each.image] for title, each in SCENARIOS.items()}


def misbehave(lab: Lab) -> None:
    """Let every scenario's mirror behave as it says; one is known by another name as well."""
    name = f"{lab.flaky.address} {LOGIN}"
    lab.each(lambda node: node.sh(f"grep -q {LOGIN} /etc/hosts || echo {name} >>/etc/hosts"))
    lab.flaky.modes({each.repository: each.mode for each in SCENARIOS.values()})


@pytest.mark.usefixtures("crictl")
def test_every_verdict_is_what_the_mirrors_logs_say(nodes: Lab, fleet: Fleet) -> None:
    fleet.write("mirrors.yaml", mirrors_file())
    misbehave(nodes)
    ran = fleet("rollout", "-y", "--batch", "4", "--soak", "0", "--no-verify", env=SECRET)
    assert ran.code == 0, ran.text
    since = int(time.time())

    proven = fleet("verify", "--json", env=SECRET)

    assert proven.code == 0, proven.text
    for name in NODES:
        for title, found in verdicts(proven.json, name).items():
            each = SCENARIOS[title]
            where = f"{name}, {title}: {found}"
            assert (found["via"], found["ok"]) == ("crictl", True), where
            assert (found["served"], found["mirror"]) == (each.served, each.mirror), where
            assert each.told in found["detail"], where
            logged = truth(nodes, nodes.nodes[name].address, since, each)
            assert len(logged) >= 4, f"{where}: both ctr and CRI fetch two blobs: {logged}"
            if each.served != "unknown":
                assert set(logged) == {each.mirror}, f"{where}: {logged}"
                assert found["bytes"] > 600, where
    assert "hunter2" not in proven.text

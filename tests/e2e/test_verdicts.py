"""Verdicts against the mirrors' own access logs: who served is known, or said not to be.

Every scenario is a registry of its own in one mirrors.yaml, so that one proof of the four nodes
tells of all of them.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NODES
from tests.e2e.test_conflicts import CERTS
from tests.lab import Lab
from tests.lab.images import make_image, push
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e
FLAKY, SECOND, UPSTREAM = "flaky.lab.test", "docker.m.daocloud.io", "registry.lab.test"
PRESENT = "k8s.gcr.io/lab/present:1"
LOGIN = "login.lab.test"
DEAD = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the first mirror does over an image, and who serves it then."""

    image: str
    mode: str
    mirror: str | None
    served: str = "mirror"
    by_ctr: str | None = None
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
        "quay.io/prometheus/busybox:latest", "ok", SECOND, first=DEAD, told="failed ("
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
        "mcr.microsoft.com/oss/kubernetes/pause:3.6", "login", None, "unknown", SECOND,
        first=f"http://{LOGIN}", told="credentials are needed",
    ),
    "an image that is there already": Scenario(PRESENT, "ok", None, "already there"),
    "hosts that all fail": Scenario(
        "registry.jujucharms.com/charm/pause:1.0", "404", None, "unknown", second=DEAD,
        told="404 Not Found",
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


VERIFIERS = {
    "crictl": ("crictl", "ops", "true"),
    "CRI over SSH, sudo": ("cri", "ops", "mv /usr/local/bin/crictl /run/lab-crictl"),
    "CRI over SSH, root": ("cri", "root", "true"),
    "ctr": ("ctr", "ops", "chmod -x /lib/systemd/systemd-socket-proxyd"),
}
"""How each is made the best that there is; each builds on the one before."""
DOCS = Path(__file__).parents[2] / "docs" / "explanation" / "verification.md"


def words(found: Mapping[str, Any]) -> str:
    """Say a verdict as the table in the docs does."""
    names = {FLAKY: "the first mirror", SECOND: "the second mirror", UPSTREAM: "upstream"}
    if not found["ok"]:
        return "failed, with every host"
    return names.get(found["mirror"]) or found["served"].replace("unknown", "mirror unknown")


def table(cells: Mapping[str, Mapping[str, set[str]]]) -> str:
    """Return the table of verdicts: what all four suites say, or each of what they say."""
    lines = [f"| scenario | {' | '.join(cells)} |", f"|---|{'---|' * len(cells)}"]
    for title in SCENARIOS:
        row = (" / ".join(sorted(cells[verifier][title])) for verifier in cells)
        lines.append(f"| {title} | {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def check(lab: Lab, name: str, since: float, verifier: str, found: Mapping[str, Any]) -> None:
    """Compare one verdict with what the mirrors themselves have logged."""
    title = next(t for t, each in SCENARIOS.items() if each.image == found["image"])
    each = SCENARIOS[title]
    where = f"{verifier}, {name}, {title}: {found}"
    via = VERIFIERS[verifier][0]
    served, mirror = each.served, each.mirror
    if via == "ctr" and each.by_ctr:
        served, mirror = "mirror", each.by_ctr
    elif each.told and via != "ctr":
        assert each.told in found["detail"], where
    assert (found["via"], found["ok"]) == (via, title != "hosts that all fail"), where
    assert (found["served"], found["mirror"]) == (served, mirror), where
    logged = truth(lab, lab.nodes[name].address, since, each)
    if served in {"mirror", "upstream"}:
        assert set(logged) == {mirror}, f"{where}: {logged}"
        assert len(logged) >= (2 if via == "ctr" else 4), f"{where}: {logged}"
        assert found["bytes"] > 600, where
    if title == "hosts that all fail":
        assert {hop["response"] for hop in found["attempts"]} >= {"404 Not Found"}, where
    if served == "already there":
        assert logged == [], where


@pytest.mark.usefixtures("crictl")
@pytest.mark.timeout(600)
def test_every_verdict_is_what_the_mirrors_logs_say(nodes: Lab, fleet: Fleet) -> None:
    """And docs/explanation/verification.md has the table; FLEET_WRITE_DOCS=1 writes it."""
    fleet.write("mirrors.yaml", mirrors_file())
    misbehave(nodes)
    ran = fleet("rollout", "-y", "--batch", "4", "--soak", "0", "--no-verify", env=SECRET)
    assert ran.code == 0, ran.text
    push(nodes.registry.address, "lab/present", "1", make_image("it is there already"))
    nodes.each(lambda node: node.sh(f"crictl pull {PRESENT}"))
    cells: dict[str, dict[str, set[str]]] = {}
    for verifier, (_, user, script) in VERIFIERS.items():
        nodes.each(lambda node, script=script: node.sh(script))
        fleet.write("inventory.yaml", re.sub("user: [a-z]+", f"user: {user}", inventory(fleet)))
        time.sleep(1.1)  # the mirrors' logs tell whole seconds
        since = time.time()
        proven = fleet("verify", "--json", env=SECRET)
        cells[verifier] = {title: set() for title in SCENARIOS}
        for name in NODES:
            for title, found in verdicts(proven.json, name).items():
                check(nodes, name, since, verifier, found)
                cells[verifier][title].add(words(found))
        assert "hunter2" not in proven.text
    for node in nodes.nodes.values():
        left = "ctr -n k8s.io images ls -q; ctr namespaces ls -q; pgrep -f socket-[ap]"
        said = node.sh(f"{left}; ls {CERTS}", check=False).stdout.split()
        assert PRESENT in said, "an image that was there is never removed"
        assert not [each for each in said if "probe" in each or each.isdecimal()]
        tags = {each for each in said if "/" in each and ":" in each and "@" not in each}
        assert tags - {f"{CERTS}:"} == {PRESENT}, said
    if os.environ.get("FLEET_WRITE_DOCS"):
        DOCS.write_text(re.sub(r"\| scenario .*?\n\n", lambda _: table(cells) + "\n",
                               DOCS.read_text(), flags=re.S))  # fmt: skip
    assert table(cells) in DOCS.read_text()


def inventory(fleet: Fleet) -> str:
    return (fleet.folder / "inventory.yaml").read_text()

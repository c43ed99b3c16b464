"""What a proof brings goes again, even where it was killed; what was there before stays."""

from __future__ import annotations

import time

import pytest

from tests.conftest import NODES
from tests.e2e.test_verdicts import SECOND
from tests.lab import Lab
from tests.lab.images import make_image, push
from tests.lab.node import LabNode
from tests.support.fleet import Fleet

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("crictl")]
MINE = "quay.io/lab/mine:1"
IMAGES = "ctr -n k8s.io images ls -q"
# The image that is proven, under another name, and under the id that CRI gave it.
PRELOAD = f"""
crictl pull docker.io/lab/one:1 >/dev/null
ctr -n k8s.io images tag docker.io/lab/one:1 {MINE} >/dev/null
ctr -n k8s.io images rm docker.io/lab/one:1 $({IMAGES} | grep lab/one@) >/dev/null
{IMAGES}
"""
START = "systemctl start containerd; until ctr version >/dev/null 2>&1; do sleep 0.1; done"
# A ctr that fails to list all images.
FORGETFUL = """#!/bin/sh
case "$*" in *"images ls -q") exit 1 ;; esac
exec /usr/bin/ctr "$@"
"""
KILLS = {
    "the script": "kill -9 $(echo /var/lib/fleet/proof-* | sed 's/.*-//'); pkill -9 -x ctr",
    "the daemon": "systemctl stop containerd",
}


def mirrors() -> str:
    return "version: 1\nmirrors:\n" + "".join(
        f"  {registry}:\n    endpoints: [http://flaky.lab.test, 'https://{SECOND}']\n"
        f"    verify: {registry}/lab/{image}:1\n"
        for registry, image in (("docker.io", "one"), ("quay.io", "two"))
    )


def rolled_out(nodes: Lab, fleet: Fleet) -> None:
    for image in ("one", "two"):
        push(nodes.registry.address, f"lab/{image}", "1", make_image(f"{image} that goes again"))
    fleet.write("mirrors.yaml", mirrors())
    ran = fleet("rollout", "-y", "--batch", "4", "--soak", "0", "--no-verify")
    assert ran.code == 0, ran.text


def left(node: LabNode) -> list[str]:
    """Say what is left of proofs."""
    asked = f"{IMAGES}; ctr namespaces ls -q; ls /var/lib/fleet /run/fleet"
    said = node.sh(asked).stdout.split()
    return [each for each in said if "sha256" in each or "lab/" in each or "pro" in each]


@pytest.mark.parametrize("user", ["", "sudo user", "root"])
def test_an_image_that_was_there_under_another_name_keeps_all_of_its_names(
    nodes: Lab, fleet: Fleet, user: str
) -> None:
    """By crictl, and by CRI over SSH for both kinds of login."""
    rolled_out(nodes, fleet)
    before = {name: node.sh(PRELOAD).stdout for name, node in nodes.nodes.items()}
    if user:
        nodes.each(lambda node: node.sh("mv -f /usr/local/bin/crictl /run/lab-crictl"))
    if user == "root":
        fleet.edit("inventory.yaml", "user: ops", "user: root")

    ran = fleet("verify", "--json")

    assert ran.code == 0, ran.text
    for name, node in nodes.nodes.items():
        assert MINE in before[name]
        assert node.sh(IMAGES).stdout == before[name], name
        found = {title: each["served"] for title, each in by_image(ran.json, name).items()}
        assert found == {"docker.io/lab/one:1": "already there", "quay.io/lab/two:1": "mirror"}


def by_image(told: dict[str, object], name: str) -> dict[str, dict[str, object]]:
    assert isinstance(told["nodes"], dict)
    return {each["image"]: each for each in told["nodes"][name]["verified"]}


@pytest.mark.parametrize("kill", KILLS.values(), ids=list(KILLS))
def test_what_a_killed_proof_has_left_is_taken_away_by_the_next(
    nodes: Lab, fleet: Fleet, kill: str
) -> None:
    rolled_out(nodes, fleet)
    nodes.flaky.modes({"lab/two": "hang"})
    running = fleet.start("verify", "--pull-timeout", "15")
    for node in nodes.nodes.values():
        until = time.monotonic() + 60
        while "lab/one:1" not in node.sh(IMAGES).stdout or not node.sh("pgrep ctr; true").stdout:
            assert time.monotonic() < until
        node.sh(kill)
    running.communicate(timeout=120)
    nodes.each(lambda node: node.sh(START))
    nodes.flaky.modes({})
    stale = {name: left(node) for name, node in nodes.nodes.items()}

    ran = fleet("verify", "--json")

    assert ran.code == 0, ran.text
    for name in NODES:
        assert {"docker.io/lab/one:1"} <= set(stale[name]), name
        assert [each for each in stale[name] if "proof-" in each], name
        assert left(nodes.nodes[name]) == [], name
        for found in by_image(ran.json, name).values():
            assert found["served"] == "mirror", f"{name}: {found}"


def test_nothing_is_taken_away_where_it_is_not_known_what_was_there(
    nodes: Lab, fleet: Fleet
) -> None:
    rolled_out(nodes, fleet)
    node = nodes.nodes["trixie1"]
    node.sh("crictl pull docker.io/lab/one:1; crictl pull quay.io/lab/two:1")
    before = node.sh(IMAGES).stdout

    node.sh(f"printf '%s' '{FORGETFUL}' >/usr/local/sbin/ctr; chmod 755 /usr/local/sbin/ctr")
    try:
        ran = fleet("verify", "-l", "trixie1", "--json")
    finally:
        node.sh("rm /usr/local/sbin/ctr")

    assert ran.code == 0, ran.text
    assert "lab/one:1" in before
    assert node.sh(IMAGES).stdout == before

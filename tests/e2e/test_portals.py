"""Mirrors that show a login page: the proof fails, leaves nothing, and blinds no later one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab import Lab
from tests.support.fleet import Fleet

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("crictl")]
IMAGE = "docker.io/library/busybox:1.36"
MIRRORS = f"""
version: 1
mirrors:
  docker.io:
    endpoints: [http://flaky.lab.test]
    verify: {IMAGE}
  quay.io:
    endpoints: [http://flaky.lab.test]
"""
STATE = "ctr -n k8s.io images ls -q; ctr namespaces ls -q; ls /var/lib/fleet /run/fleet || true"
PAGE = "answered with text/html"


def verdicts(document: dict[str, Any]) -> dict[str, tuple[bool, str]]:
    """Return for each node whether its only pull is proven, and who served it."""
    found = {name: each["verified"][0] for name, each in document["nodes"].items()}
    return {name: (each["ok"], each["served"]) for name, each in found.items()}


def test_a_login_page_leaves_nothing_and_blinds_no_later_proof(nodes: Lab, fleet: Fleet) -> None:
    """By crictl on two nodes and by CRI over SSH on two; the image stands there at the end."""
    fleet.write("mirrors.yaml", MIRRORS)
    done = fleet("rollout", "-y", "--batch", "4", "--soak", "0", "--json")
    for name in ("bullseye1", "trixie1"):
        nodes.nodes[name].sh("mv -f /usr/local/bin/crictl /run/lab-crictl")
    before = {name: node.sh(STATE).stdout for name, node in nodes.nodes.items()}
    nodes.flaky.mode("portal")
    shown = fleet("verify", "--json")
    after = {name: node.sh(STATE).stdout for name, node in nodes.nodes.items()}
    nodes.flaky.mode("ok")
    mended = fleet("verify", "--json")

    for name in ("bullseye1", "trixie1"):
        nodes.nodes[name].sh("mv -f /run/lab-crictl /usr/local/bin/crictl")
    nodes.each(lambda node: node.sh(f"crictl pull {IMAGE}"))
    there = {name: node.sh("ctr -n k8s.io images ls").stdout for name, node in nodes.nodes.items()}
    nodes.flaky.mode("portal")
    hidden = fleet("verify", "--json")
    kept = {name: node.sh("ctr -n k8s.io images ls").stdout for name, node in nodes.nodes.items()}
    nodes.flaky.mode("ok")
    present = fleet("verify", "--json")

    assert {each["unproven"][0] for each in done.json["nodes"].values()} == {"quay.io"}
    assert shown.code == 1
    for name, each in shown.json["nodes"].items():
        assert PAGE in each["verified"][0]["detail"], name
        assert before[name] == after[name], name
        assert [line for line in kept[name].split() if "sha256" in line] == [
            line for line in there[name].split() if "sha256" in line
        ], name
    assert (mended.code, set(verdicts(mended.json).values())) == (0, {(True, "mirror")})
    assert (hidden.code, {ok for ok, _ in verdicts(hidden.json).values()}) == (1, {False})
    assert (present.code, set(verdicts(present.json).values())) == (0, {(True, "already there")})


def test_a_login_page_is_not_an_image_for_ctr_either(nodes: Lab, fleet: Fleet) -> None:
    fleet.write("mirrors.yaml", MIRRORS)
    node = nodes.nodes["trixie1"]
    assert fleet("rollout", "-y", "-l", "trixie1", "--soak", "0", "--no-verify").code == 0
    node.sh("mv -f /usr/local/bin/crictl /run/lab-crictl")
    before = node.sh(STATE).stdout
    node.sh("chmod -x /lib/systemd/systemd-socket-proxyd")  # nothing leads to CRI
    nodes.flaky.mode("portal")

    ran = fleet("verify", "-l", "trixie1", "--json")

    (found,) = ran.json["nodes"]["trixie1"]["verified"]
    assert (ran.code, found["ok"], found["via"]) == (1, False, "ctr"), ran.text
    assert PAGE in found["detail"]
    assert node.sh(STATE).stdout == before

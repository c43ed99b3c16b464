"""Verdicts of single pulls: by digest, under two names, and from a mirror that hangs."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.conftest import NODES
from tests.e2e.test_verdicts import FLAKY, SECOND
from tests.lab import Lab
from tests.lab.images import make_image, push
from tests.support.fleet import Fleet

pytestmark = pytest.mark.e2e


def first_verdicts(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {name: document["nodes"][name]["verified"][0] for name in NODES}


def one(image: str) -> str:
    """Return mirrors.yaml with one registry, whose first mirror may misbehave."""
    return (
        f"version: 1\nmirrors:\n  docker.io:\n    endpoints: ['http://{FLAKY}', 'https://{SECOND}']\n"
        f"    verify: '{image}'\n"
    )


@pytest.mark.usefixtures("crictl")
def test_an_image_that_is_pinned_by_its_digest_is_served_as_it_was(
    nodes: Lab, fleet: Fleet
) -> None:
    pinned = make_image("pinned")
    digest = f"sha256:{hashlib.sha256(pinned.manifest).hexdigest()}"
    for image in (pinned, make_image("what the tag means now")):
        push(nodes.registry.address, "lab/pinned", "1", image)
    fleet.write("mirrors.yaml", one(f"docker.io/lab/pinned@{digest}"))
    nodes.flaky.modes({"lab/pinned": "404"})
    fleet("rollout", "-y", "--batch", "4", "--soak", "0", "--no-verify")
    since = time.time()

    ran = fleet("verify", "--json")

    assert ran.code == 0, ran.text
    for name, found in first_verdicts(ran.json).items():
        assert (found["mirror"], found["digest"]) == (SECOND, digest), f"{name}: {found}"
        assert f"{FLAKY} failed (404 Not Found)" in found["detail"], f"{name}: {found}"
    asked = {each.path.partition("?")[0] for each in nodes.registry.access(since)}
    manifests = {each for each in asked if each.startswith("/v2/lab/pinned/manifests/")}
    assert manifests == {f"/v2/lab/pinned/manifests/{digest}"}


@pytest.mark.usefixtures("crictl")
def test_two_names_of_one_image_both_travel(nodes: Lab, fleet: Fleet) -> None:
    image = make_image("two names have it")
    names = {"docker.io": "lab/shared", "quay.io": "lab/shared-too"}
    for repository in names.values():
        push(nodes.registry.address, repository, "1", image)
    fleet.write("mirrors.yaml", "version: 1\nmirrors:\n" + "".join(
        f"  {registry}:\n    endpoints: ['https://{SECOND}']\n"
        f"    verify: {registry}/{repository}:1\n"
        for registry, repository in names.items()
    ))  # fmt: skip

    ran = fleet("rollout", "-y", "--batch", "4", "--soak", "0", "--json")

    assert ran.code == 0, ran.text
    for name, node in nodes.nodes.items():
        verified = ran.json["nodes"][name]["verified"]
        assert len(verified) == len(names), f"{name}: {verified}"
        for found in verified:
            assert found["mirror"] == SECOND, f"{name}: {found}"
            assert "CRI fetched 3 of 3 objects again" in found["evidence"], f"{name}: {found}"
        assert "shared" not in node.sh("ctr -n k8s.io images ls -q").stdout


@pytest.mark.usefixtures("crictl")
@pytest.mark.parametrize("by", ["crictl", "CRI over SSH"])
def test_a_mirror_that_hangs_is_named_within_the_pulls_time(
    nodes: Lab, fleet: Fleet, by: str
) -> None:
    if by != "crictl":
        nodes.each(lambda node: node.sh("mv -f /usr/local/bin/crictl /run/lab-crictl; true"))
    fleet.write("mirrors.yaml", one("docker.io/library/busybox:1.36"))
    rolled = fleet("rollout", "-y", "--batch", "4", "--soak", "0", "--no-verify", "--json")
    nodes.flaky.modes({"library/busybox": "hang"})
    began = time.monotonic()

    ran = fleet("verify", "--pull-timeout", "4", "--json")

    assert time.monotonic() - began < 30
    assert (rolled.code, ran.code) == (0, 1), rolled.text
    spent = {name: each["seconds"] for name, each in rolled.json["nodes"].items()}
    assert max(spent.values()) < 30, f"a gate without pulls waits for nothing: {spent}"
    for name, found in first_verdicts(ran.json).items():
        assert not found["ok"], f"{name}: {found}"
        assert found["detail"].startswith("timed out"), f"{name}: {found}"
        assert f"{FLAKY} (name): no answer" in found["detail"], f"{name}: {found}"
        assert 3.5 < found["seconds"] < 8, f"{name}: {found}"

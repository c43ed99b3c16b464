"""The pulls that prove a node: never refused for what some other release of containerd lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.pull_tests import pull_tests
from fleet.core.text.documents import parse_toml
from tests.golden.cases import facts_of, planned, wishes_of

IMAGE = "verify: docker.io/library/busybox:1.36"
WISHES = {
    "a wildcard": f"mirrors: {{'*': {{endpoints: [https://m.test], {IMAGE}}}}}",
    "referrers": "mirrors: {docker.io: {endpoints: [{url: https://m.test, capabilities:"
    f" [pull, resolve, referrers]}}], {IMAGE}}}}}",
    "rewrite": "mirrors: {docker.io: {endpoints: [https://m.test], rewrite: {'^a': b},"
    f" {IMAGE}}}}}",
}
# The wish, the distribution and the release: each can have what the wish asks for.
PROVEN = [
    ("a wildcard", None, "1.4.13"),
    ("a wildcard", None, "1.7.24"),
    ("a wildcard", "k3s", "1.7.24"),
    ("a wildcard", "k3s", "2.1.5-k3s1"),
    ("a wildcard", "rke2", "1.6.39-k3s1"),
    ("referrers", None, "2.2.1"),
    ("referrers", None, "2.3.4"),
    ("rewrite", "k3s", "2.1.5-k3s1"),
    ("rewrite", "rke2", "1.7.24"),
]


def plan_of(wish: str, distro: str | None, version: str, folder: Path) -> NodePlan:
    config = {"/etc/containerd/config.toml": b"version = 2\n"}
    return planned(facts_of(config, version, folder / "a", distro), wishes_of(WISHES[wish], folder))


@pytest.mark.parametrize(("wish", "distro", "version"), PROVEN)
def test_a_registry_that_the_node_can_have_can_be_proven(
    wish: str, distro: str | None, version: str, tmp_path: Path
) -> None:
    plan = plan_of(wish, distro, version, tmp_path)

    assert plan.failure is None, plan.failure
    (test,) = plan.pulls.tests
    assert (test.host, test.mirrors) == ("docker.io", ("m.test",))
    assert test.rewritten is (wish == "rewrite")
    assert bool(test.hosts) is (plan.config.hosts_directory is None)
    if test.hosts:
        assert list(parse_toml(test.hosts.decode())["host"]) == ["https://m.test"]


def test_what_a_release_does_not_read_is_left_out_of_ctrs_own_file(tmp_path: Path) -> None:
    wishes = wishes_of(WISHES["referrers"], tmp_path)
    versions = [
        facts_of({}, each, tmp_path / each, None).daemon.version for each in ("1.7.24", "2.2.1")
    ]

    old, new = (next(iter(pull_tests(wishes.registries, None, each))) for each in versions)

    assert b"referrers" not in old.hosts
    assert b"referrers" in new.hosts

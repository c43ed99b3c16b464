"""What mirrors.yaml refers to counts as much as what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.masking import Fingerprints
from fleet.core.model.inventory import Group, Inventory
from fleet.core.model.mirror import Auth, ClientPair, Mirror, MirrorConfig, Override, Registry
from fleet.core.model.node import Node
from fleet.core.model.secret import Secret
from fleet.core.render.fingerprints import (
    changed_parts,
    desired_fingerprints,
    node_fingerprints,
)

MARK = Fingerprints(b"k" * 32)
URL = "https://m.corp.test"
MIRROR = Mirror(
    url=URL,
    ca=(b"ca",),
    client=(ClientPair(b"cert", b"key"),),
    header=(("X-Any", (Secret("h1"),)),),
    auth=Auth("robot", Secret("p1")),
)
TOKEN = Auth("", Secret(""), Secret("t2"))
CHANGED = {
    "a password": ({"auth": Auth("robot", Secret("p2"))}, [f"the login of {URL} for docker.io"]),
    "a user": ({"auth": Auth("eve", Secret("p1"))}, [f"the login of {URL} for docker.io"]),
    "a token": ({"auth": TOKEN}, [f"the login of {URL} for docker.io"]),
    "no login": ({"auth": None}, [f"the login of {URL} for docker.io"]),
    "a header": (
        {"header": (("X-Any", (Secret("h2"),)),)},
        [f"the header X-Any of {URL} for docker.io"],
    ),
    "a ca": ({"ca": (b"cb",)}, [f"the ca of {URL} for docker.io"]),
    "a key": (
        {"client": (ClientPair(b"cert", b"kez"),)},
        [f"the client certificate of {URL} for docker.io"],
    ),
    "a setting": ({"skip_verify": True}, ["docker.io: endpoints"]),
    "nothing": ({}, []),
}


def config(mirror: Mirror = MIRROR, upstream: Mirror | None = None) -> MirrorConfig:
    registry = Registry(name="docker.io", server="https://d", mirrors=(mirror,), upstream=upstream)
    other = Registry(name="quay.io", server="https://q", mirrors=(Mirror(url="https://x"),))
    return MirrorConfig((registry, other))


@pytest.mark.parametrize(("change", "names"), CHANGED.values(), ids=list(CHANGED))
def test_a_change_is_found_and_named_without_its_value(
    change: dict[str, object], names: list[str]
) -> None:
    before = desired_fingerprints(config(), MARK)
    after = desired_fingerprints(config(replace(MIRROR, **change)), MARK)

    assert changed_parts(before, after) == names
    assert not [word for word in ("p1", "p2", "h1", "h2", "t2") if word in repr(names)]


def test_an_upstreams_login_and_an_override_count_as_well() -> None:
    upstream = Mirror(url="https://d", auth=Auth("u", Secret("p1")))
    override = Override("site_edge", {"docker.io": config().registries[0]})
    other = Override("site_edge", {"docker.io": config(replace(MIRROR, ca=(b"x",))).registries[0]})
    first = MirrorConfig(config(upstream=upstream).registries, (override,))
    second = MirrorConfig(
        config(upstream=replace(upstream, auth=Auth("u", Secret("p2")))).registries, (other,)
    )

    found = changed_parts(desired_fingerprints(first, MARK), desired_fingerprints(second, MARK))

    assert found == [
        "the login of https://d for docker.io",
        f"the ca of {URL} for docker.io (override 1, site_edge)",
    ]


def test_another_key_is_told_as_such() -> None:
    before = desired_fingerprints(config(), MARK)
    after = desired_fingerprints(config(), Fingerprints(b"x" * 32))

    assert changed_parts(before, after) == ["fingerprint.key"]
    assert not set(before.values()) & set(after.values())


def test_registries_that_come_and_go_are_named_as_such() -> None:
    docker, quay = config().registries
    first, second = MirrorConfig((docker,)), MirrorConfig((quay,))

    found = changed_parts(desired_fingerprints(first, MARK), desired_fingerprints(second, MARK))

    assert found[0] == "docker.io (removed)"
    assert found[-1] == "quay.io (added)"
    assert not [name for name in found if name.startswith("the settings")]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"fallback": False}, "docker.io: fallback"),
        ({"verify": "docker.io/library/busybox:1"}, "docker.io: verify"),
        ({"server": "https://e"}, "docker.io: server"),
        ({"mirrors": ()}, "docker.io: endpoints"),
        ({"rewrite": (("a", "b"),)}, "docker.io: rewrite"),
    ],
)
def test_the_setting_that_changed_is_named(change: dict[str, object], name: str) -> None:
    docker, quay = config().registries
    before = desired_fingerprints(MirrorConfig((docker, quay)), MARK)
    after = desired_fingerprints(MirrorConfig((replace(docker, **change), quay)), MARK)  # type: ignore[arg-type]

    assert changed_parts(before, after)[0] == name
    assert all("docker.io" in text for text in changed_parts(before, after))


def test_a_record_of_an_earlier_release_has_no_single_settings() -> None:
    docker, quay = config().registries
    after = desired_fingerprints(MirrorConfig((replace(docker, fallback=False), quay)), MARK)
    whole = desired_fingerprints(config(), MARK)
    before = {name: mark for name, mark in whole.items() if ": " not in name}

    assert changed_parts(before, whole) == []
    assert changed_parts(before, after) == ["the settings of docker.io"]


def test_the_settings_of_nodes_count_and_those_of_other_nodes_do_not() -> None:
    nodes = (Node(name="w1", host="10.0.0.1"), Node(name="w2", host="10.0.0.2"))
    groups = {"g": Group("g", ("w1",), max_unavailable="1"), "h": Group("h", ("w2",))}
    before = node_fingerprints(Inventory(nodes, groups), ["w1"])

    moved = (Node(name="w1", host="10.0.0.9"), nodes[1])
    limited = {**groups, "g": Group("g", ("w1",), max_unavailable="2")}
    other = {**groups, "h": Group("h", ("w2",), max_unavailable="2")}

    assert set(before) == {"w1", "group g"}
    assert node_fingerprints(Inventory(nodes[:1], other), ["w1"]) == before
    assert node_fingerprints(Inventory(moved, groups), ["w1"])["w1"] != before["w1"]
    assert node_fingerprints(Inventory(nodes, limited), ["w1"])["group g"] != before["group g"]

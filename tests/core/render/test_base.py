"""The base of every strategy: the version, the dump, refusals, modes and credentials."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleet.core.failure import FailureKind, NodeError
from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import Answer, NodeFacts
from fleet.core.model.finding import Finding, FindingEffect
from fleet.core.model.inventory import Group, Inventory
from fleet.core.model.mirror import Auth, Foreign, Mirror, MirrorConfig, Override
from fleet.core.model.node import Node
from fleet.core.model.secret import Secret
from fleet.core.render.base import (
    DesiredConfig,
    Refusals,
    auth_settings,
    desired_config_by_node,
    file_like,
    known_version,
    parsed_dump,
)
from tests.support.build import CONFIG, facts_with, registry, release

NODES = {name: Node(name=name, host=name) for name in ("a", "b", "c")}
INVENTORY = Inventory(
    tuple(NODES.values()),
    {"all": Group("all", ("a", "b", "c")), "edge": Group("edge", ("a", "b"))},
)
PLAIN, EDGE, ONLY_B = (registry("docker.io", f"https://{name}") for name in ("plain", "edge", "b"))
OVERRIDDEN = MirrorConfig(
    (PLAIN,), (Override("edge", {"docker.io": EDGE}), Override("b", {"docker.io": ONLY_B}))
)


def finding(effect: FindingEffect, message: str = "is odd") -> Finding:
    return Finding("code", effect, CONFIG, message)


@pytest.mark.parametrize("effect", [FindingEffect.HEALS, FindingEffect.NOTES])
def test_findings_that_do_not_refuse_pass(effect: FindingEffect) -> None:
    refusals = Refusals([finding(effect)])

    refusals.check()

    assert len(refusals.findings) == 1


def test_all_findings_that_refuse_are_named_in_one_failure() -> None:
    refusals = Refusals(
        [
            finding(FindingEffect.REFUSES, "one"),
            finding(FindingEffect.NOTES, "two"),
            finding(FindingEffect.REFUSES, "three"),
        ]
    )

    with pytest.raises(NodeError) as raised:
        refusals.check()

    assert raised.value.failure.kind is FailureKind.CONFLICT
    assert f"{CONFIG}: one; {CONFIG}: three" in raised.value.failure.message
    assert "two" not in raised.value.failure.message


def test_the_version_of_a_node() -> None:
    assert known_version(facts_with({}, "2.1.9")) == release("2.1.9")


def test_a_node_without_containerd_is_refused() -> None:
    with pytest.raises(NodeError, match="containerd was not found on this node") as raised:
        known_version(NodeFacts())

    assert raised.value.failure.kind is FailureKind.UNSUPPORTED


def with_dump(text: str, code: int = 0) -> NodeFacts:
    facts = facts_with({})
    return replace(facts, config=replace(facts.config, dump=Answer(text, code)))


def test_a_dump_is_parsed_without_the_lines_of_its_log() -> None:
    dump = 'time="2026" level=warning msg="x"\nversion = 2\n'

    assert parsed_dump(with_dump(dump)) == {"version": 2}


@pytest.mark.parametrize(
    ("text", "words"),
    [("a\nbad key\n", "bad key"), ("", "no answer"), ("\n\n", "no answer")],
    ids=["the last line", "nothing", "blank lines"],
)
def test_a_config_that_containerd_refuses_is_a_conflict(text: str, words: str) -> None:
    with pytest.raises(NodeError, match=f"containerd refuses {CONFIG}: {words}") as raised:
        parsed_dump(with_dump(text, 1))

    assert raised.value.failure.kind is FailureKind.CONFLICT


def test_a_dump_that_is_not_toml_is_a_matter_of_protocol() -> None:
    with pytest.raises(NodeError, match="config dump") as raised:
        parsed_dump(with_dump("[x"))

    assert raised.value.failure.kind is FailureKind.PROTOCOL


FILES: dict[str, tuple[ManagedFile | None, bool, ManagedFile]] = {
    "a new file": (None, False, ManagedFile(b"new", 0o644)),
    "a new secret": (None, True, ManagedFile(b"new", 0o600, secret=True)),
    "a present file": (ManagedFile(b"", 0o640, 1, 2), False, ManagedFile(b"new", 0o640, 1, 2)),
    "a present file that gets a secret": (
        ManagedFile(b"", 0o755, 1, 2),
        True,
        ManagedFile(b"new", 0o600, 1, 2, secret=True),
    ),
    "a stricter secret": (
        ManagedFile(b"", 0o400),
        True,
        ManagedFile(b"new", 0o400, secret=True),
    ),
}


@pytest.mark.parametrize(("before", "secret", "after"), FILES.values(), ids=list(FILES))
def test_a_file_keeps_its_mode_and_owner_and_a_secret_is_private(
    before: ManagedFile | None, secret: bool, after: ManagedFile
) -> None:
    facts = replace(NodeFacts(), files={"/a": before} if before else {})

    assert file_like(facts, "/a", b"new", secret=secret) == after


def test_credentials_are_by_the_host_of_the_endpoint() -> None:
    login = Mirror(url="https://m.test:5000/a", auth=Auth("u", Secret("p")))
    token = Mirror(url="https://r", auth=Auth("u", Secret("p"), Secret("t")))
    registries = (
        registry("docker.io", mirrors=(login, Mirror(url="https://b"))),
        registry("r", upstream=token),
    )

    assert auth_settings(registries) == {
        "m.test:5000": (("username", "u"), ("password", "p")),
        "r": (("identitytoken", "t"),),
    }


def test_a_node_has_the_registries_of_the_overrides_that_match_it() -> None:
    desired = desired_config_by_node(INVENTORY, OVERRIDDEN, Foreign.ADOPT)

    assert {name: desired(node).registries for name, node in NODES.items()} == {
        "a": (EDGE,),
        "b": (ONLY_B,),
        "c": (PLAIN,),
    }


def test_the_policy_and_the_default_config_are_those_of_the_command() -> None:
    desired = desired_config_by_node(INVENTORY, OVERRIDDEN, Foreign.KEEP, full_default=True)

    assert desired(NODES["c"]) == DesiredConfig((PLAIN,), True, Foreign.KEEP)


def test_nodes_with_equal_config_share_it() -> None:
    config = MirrorConfig((PLAIN,), (Override("edge", {"docker.io": EDGE}),))
    desired = desired_config_by_node(INVENTORY, config, Foreign.ADOPT)

    assert desired(NODES["a"]) is desired(NODES["b"])
    assert desired(NODES["a"]) is not desired(NODES["c"])


def test_a_node_outside_of_the_inventory_has_no_override() -> None:
    desired = desired_config_by_node(INVENTORY, OVERRIDDEN, Foreign.ADOPT)

    assert desired(Node(name="x", host="x")).registries == (PLAIN,)

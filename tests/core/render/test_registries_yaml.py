"""The types of registries.yaml: k3s's own decoder refuses what fleet refuses, and only that."""

from __future__ import annotations

import pytest

from fleet.core.model.change import ManagedFile
from fleet.core.model.facts import DaemonFacts, NodeFacts
from fleet.core.model.mirror import Mirror, Registry
from fleet.core.model.node import Node
from fleet.core.model.version import parse_version
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.planner import plan_node
from fleet.core.render.base import DesiredConfig
from fleet.core.render.registries_yaml import registries_problems
from tests.lab.registries_yaml import k3s_reader

PATH = "/etc/rancher/k3s/registries.yaml"
HUB = Registry(
    name="docker.io", server="https://registry-1.docker.io", mirrors=(Mirror(url="https://m.test"),)
)
TLS = "configs:\n  q: {tls: {insecure_skip_verify: "
AUTH = "configs:\n  q: {auth: "

# A text, and the setting in it for which k3s does not start; empty if it starts.
TEXTS = {
    "an endpoint that is not a list": (
        "mirrors:\n  q: {endpoint: https://x}\n",
        "mirrors.q.endpoint",
    ),
    "an empty string for a list": ('mirrors:\n  q: {endpoint: ""}\n', "mirrors.q.endpoint"),
    "a mapping in a list": ("mirrors:\n  q: {endpoint: [{a: b}]}\n", "mirrors.q.endpoint"),
    "a list for a mirror": ("mirrors:\n  q: [https://x]\n", "mirrors.q"),
    "a rewrite that is a list": ("mirrors:\n  q: {rewrite: [a]}\n", "mirrors.q.rewrite"),
    "a rewrite to a list": ("mirrors:\n  q: {rewrite: {a: [b]}}\n", "mirrors.q.rewrite.a"),
    "a boolean in quotes": (f"{TLS}'yes'}}}}\n", "configs.q.tls.insecure_skip_verify"),
    "a number for a boolean": (f"{TLS}1}}}}\n", "configs.q.tls.insecure_skip_verify"),
    "a login that is a string": (f"{AUTH}x}}\n", "configs.q.auth"),
    "a password that is a list": (f"{AUTH}{{password: [x]}}}}\n", "configs.q.auth.password"),
    "auths that are a list": ("auths: [x]\n", "auths"),
    "a merge of a string": ("mirrors:\n  q:\n    <<: x\n", "mirrors.q.<<"),
    "a wrong type by a merge": (
        "x: &x {endpoint: y}\nmirrors:\n  q:\n    <<: *x\n",
        "mirrors.q.endpoint",
    ),
    "another YAML": ("%YAML 1.2\n---\nmirrors: {}\n", "%YAML"),
    "a number for a string": (f"{AUTH}{{password: 0x1F}}}}\n", ""),
    "words of YAML 1.1": (f"{TLS}On}}}}\n", ""),
    "one letter for a boolean": (f"{TLS}y}}}}\n", ""),
    "nothing at all": ("mirrors:\nconfigs: ~\nauths: {q: }\n", ""),
    "nothing in the entries": ("mirrors:\n  q:\n  r: {endpoint: }\n", ""),
    "unknown keys of any type": ("mirrors:\n  q: {other: [{}]}\nmore: [1]\n", ""),
    "a merge of two": (
        "x: &x {endpoint: [y]}\nmirrors:\n  q:\n    <<: [*x, {rewrite: {a: b}}]\n",
        "",
    ),
    "the YAML of k3s": ("%YAML 1.1\n---\nmirrors: {}\n", ""),
}


@pytest.mark.parametrize(("text", "name"), TEXTS.values(), ids=TEXTS)
def test_what_k3s_does_not_start_with_is_known(text: str, name: str) -> None:
    assert [each[1] for each in registries_problems(text)] == ([name] if name else [])


@pytest.mark.parametrize(("text", "name"), TEXTS.values(), ids=TEXTS)
def test_the_decoder_of_k3s_says_the_same(text: str, name: str) -> None:
    reader = k3s_reader()
    if reader is None:
        pytest.skip("no Go on this machine to build k3s's YAML reader with")

    assert bool(reader.read(text).error) is bool(name)


def planned(text: str) -> NodePlan:
    facts = NodeFacts(
        offline=True,
        daemon=DaemonFacts(owner="k3s", unit_name="k3s", installed_version=parse_version("2.1.5")),
        files={PATH: ManagedFile(text.encode())},
    )
    return plan_node(Node(name="n", host="n"), facts, DesiredConfig((HUB,)))


def test_a_file_with_which_k3s_would_not_start_is_refused_before_the_restart() -> None:
    plan = planned(f"# one\nmirrors:\n  q: {{endpoint: s3cret}}\n{TLS}'no'}}}}\n")

    assert plan.changes == ()
    assert plan.failure is not None
    assert plan.failure.message.startswith(
        f"{PATH}:3: mirrors.q.endpoint must be a list, {PATH}:5:"
        " configs.q.tls.insecure_skip_verify must be true or false, without quotes"
    )
    assert "s3cret" not in plan.failure.message


def test_a_wrong_value_that_fleet_replaces_is_no_reason_to_refuse() -> None:
    plan = planned("mirrors:\n  docker.io: {endpoint: https://old.test}\n")

    assert plan.failure is None
    content = plan.changes[0].after
    assert content is not None
    assert list(registries_problems(content.content.decode())) == []

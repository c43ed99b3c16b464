"""The probe's answer as recorded on the four suites, and as real nodes give it now."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from operator import attrgetter

import pytest

from fleet.core.failure import FailureKind, NodeError, Step
from fleet.core.model.change import RestartCost
from fleet.core.model.facts import NodeFacts
from fleet.core.model.mirror import Mirror, Registry
from fleet.core.model.node import Node
from fleet.core.plan.node_plan import NodePlan
from fleet.core.plan.planner import plan_node
from fleet.core.render.base import DesiredConfig
from fleet.node.probe import parse_probe
from fleet.node.script import Privilege, Script, decode_field, parse_reply
from tests.lab import Lab
from tests.node.record import ANSWERS, answer_of

SUITES = {
    "bullseye": ("1.4.13", "legacy", "Debian 11 (bullseye)"),
    "bookworm": ("1.6.20", "certs.d", "Debian 12 (bookworm)"),
    "trixie": ("1.7.24", "certs.d", "Debian 13 (trixie)"),
    "forky": ("2.1.9", "certs.d", "Debian forky/sid"),
}
AS_RECORDED = (
    "machine.distribution",
    "daemon.installed_version",
    "daemon.running_version",
    "config",
    "cri",
)
NODE = Node(name="n", host="n")
WISHES = DesiredConfig(
    (
        Registry(
            name="docker.io",
            server="https://registry-1.docker.io",
            mirrors=(Mirror(url="https://m.example"),),
            verify="docker.io/library/busybox:1.36",
        ),
    )
)


def facts_of(text: str) -> NodeFacts:
    return parse_probe(parse_reply(Step.PROBE, 0, text, ""))


def recorded(suite: str) -> NodeFacts:
    return facts_of((ANSWERS / f"{suite}.txt").read_text())


def planned(facts: NodeFacts) -> NodePlan:
    return plan_node(NODE, facts, WISHES)


@pytest.mark.parametrize("suite", SUITES)
def test_recorded_answers(suite: str) -> None:
    version, strategy, distribution = SUITES[suite]

    facts = recorded(suite)
    plan = planned(facts)

    assert facts.daemon.running_version == facts.daemon.installed_version
    assert str(facts.daemon.version).startswith(version)
    assert facts.machine.distribution == distribution
    assert (facts.cri.state, facts.cri.runtime_ready, facts.daemon.unit.running) == (
        "ok",
        True,
        True,
    )
    assert (facts.daemon.unit.kill_mode, facts.daemon.unit.delegate) == ("process", "yes")
    assert facts.config_text is not None
    assert facts.config_text.startswith("version = 2\n")
    assert (plan.failure, plan.strategy, plan.notes) == (None, strategy, ())
    assert plan.restart.cost is RestartCost.RESTART
    assert plan.changes[-1].path == "/etc/containerd/config.toml"


INCOMPLETE = {
    "the shell": ("sh: 0: Cannot fork", ""),
    "a Go program": ("", "runtime: failed to create new OS thread (have 4 already; errno=11)"),
}


@pytest.mark.parametrize(("words", "ctr"), INCOMPLETE.values(), ids=INCOMPLETE)
def test_a_probe_that_lacked_processes_is_no_probe(words: str, ctr: str) -> None:
    text = (ANSWERS / "trixie.txt").read_text()
    if ctr:
        kept = [line for line in text.splitlines() if not line.startswith("ctr\t")]
        assert len(kept) < len(text.splitlines())
        answer = b64encode(f"{ctr}\nrc 2".encode()).decode()
        text = "\n".join((*kept[:-1], f"ctr\t{answer}", kept[-1], ""))

    with pytest.raises(NodeError, match="cannot start more processes"):
        parse_probe(parse_reply(Step.PROBE, 0, text, words))


@pytest.mark.node
@pytest.mark.parametrize("suite", SUITES)
def test_real_nodes_answer_as_recorded(nodes: Lab, suite: str) -> None:
    node = nodes.nodes[f"{suite}1"]

    now, then = facts_of(answer_of(node)), recorded(suite)

    for name in AS_RECORDED:
        read = attrgetter(name)
        assert read(now) == read(then), name
    assert now.files[now.config.path] == then.files[then.config.path]
    assert {change.path for change in planned(now).changes} == {
        change.path for change in planned(then).changes
    }


def with_config(suite: str, text: str) -> NodeFacts:
    facts = recorded(suite)
    config = replace(facts.files[facts.config.path], content=text.encode())
    return replace(facts, files={**facts.files, facts.config.path: config})


CRI = '[plugins."io.containerd.grpc.v1.cri"'
REFUSED = {
    "TLS files that are not there": (
        "bookworm",
        f'version = 2\n{CRI}.registry.configs."a".tls]\n  ca_file = "/x"\n',
        FailureKind.CONFLICT,
        "names /x, which does not exist",
    ),
    "CRI switched off": (
        "trixie",
        'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n',
        FailureKind.CONFLICT,
        ":2: disabled_plugins lists",
    ),
    "a byte-order mark on 2.1": (
        "forky",
        "\ufeff[debug]\n",
        FailureKind.CONFLICT,
        "byte-order mark",
    ),
    "a template": ("trixie", "version = 2\n{{ x }}\n", FailureKind.UNSUPPORTED, ":2: this is a"),
    "broken TOML": ("trixie", "version = 2\n[x\n", FailureKind.CONFLICT, "line 2"),
}


@pytest.mark.parametrize(("suite", "text", "kind", "message"), REFUSED.values(), ids=list(REFUSED))
def test_what_fleet_will_not_touch(suite: str, text: str, kind: FailureKind, message: str) -> None:
    plan = planned(with_config(suite, text))

    assert plan.failure is not None
    assert (plan.failure.kind, plan.failure.step) == (kind, "plan")
    assert message in plan.failure.message
    assert plan.changes == ()


def test_a_versionless_config_of_an_old_daemon_gets_the_old_table() -> None:
    plan = planned(with_config("bullseye", "[debug]\n  level = 'info'\n"))

    assert plan.failure is None
    assert plan.changes[0].after is not None
    text = plan.changes[0].after.content.decode()
    assert '[plugins.cri.registry.mirrors."docker.io"]' in text


ANSWERED = {
    "no shell": (1, "", "", FailureKind.AUTH),
    "nothing, sudo said no": (1, "begun\t=plain\n", "sudo: no", FailureKind.SUDO),
    "not root": (0, "hello\t=1000\n", "", FailureKind.SUDO),
    "out of time": (124, "hello\tMA==\nunit\tYQ==\n", "", FailureKind.TIMEOUT),
    "cut short": (1, "hello\tMA==\n", "", FailureKind.PROTOCOL),
}


@pytest.mark.parametrize(("code", "out", "err", "kind"), ANSWERED.values(), ids=list(ANSWERED))
def test_a_script_that_did_not_run_to_its_end(
    code: int, out: str, err: str, kind: FailureKind
) -> None:
    with pytest.raises(NodeError) as raised:
        parse_reply(Step.PROBE, code, out, err)

    assert raised.value.failure.kind is kind


FIELDS = {
    "in base64": ("key\tYSBi\n", ["a b"]),
    "plain": ("key\t=a b\n", ["a b"]),
    "below the line": ("key\t+3\na\nb\n", ["a\nb"]),
    "several below the line": ("key\t+3\tYQ==\t+0\t+2\na\tb\n\nc \n", ["a\tb", "a", "", "c "]),
    "a record below the line": ("key\t+7\nkey\t=no\n", ["key\t=no"]),
}


@pytest.mark.parametrize(("text", "fields"), FIELDS.values(), ids=list(FIELDS))
def test_a_field_is_read_however_it_travels(text: str, fields: list[str]) -> None:
    reply = parse_reply(Step.PROBE, 0, f"hello\t=0\n{text}\nend\t\n", "")

    assert [[decode_field(each).decode() for each in found] for found in reply.all("key")] == [
        fields
    ]


def test_no_content_and_no_secret_stands_in_a_command_line() -> None:
    from fleet.core.model.secret import Secret  # noqa: PLC0415

    privilege = Privilege(password=Secret("hunter2"))
    script = Script(Step.STAGE, {"ID": "$(id); '\"", "OPERATIONS": "a\tb\nc"}, 60)

    line, stdin = script.command_line(privilege), script.stdin(privilege)

    assert "hunter2" not in line
    assert "OPERATIONS" not in line
    assert stdin.startswith(b"hunter2\n")
    assert b"ID='$(id); '\"'\"'\"'\n" in stdin

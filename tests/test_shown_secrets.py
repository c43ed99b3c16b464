"""A secret is shown nowhere: on no screen, in no answer, in no journal, report or log."""

from __future__ import annotations

import io
import json
import logging
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from rich.console import Console

from fleet.cli.app import fleet
from fleet.cli.log_file import LOG, Masking
from fleet.cli.output.outcome import print_outcomes
from fleet.cli.output.plan import print_plans
from fleet.cli.output.tables import print_json
from fleet.core.failure import Failure, FailureKind, NodeError, Step
from fleet.core.history.replay import JournalEntry
from fleet.core.history.serialize import outcome_data
from fleet.core.lint.explain import explain
from fleet.core.masking import Fingerprints, clean_data
from fleet.core.masking.known import clean_outcome, known_secrets
from fleet.core.masking.shown_text import tail, unified_diff
from fleet.core.model.change import Change, ManagedFile
from fleet.core.model.facts import Answer, ConfigFacts, DaemonFacts, NodeFacts, PathFacts
from fleet.core.model.mirror import Auth, Mirror, MirrorConfig, Registry
from fleet.core.model.node import Node
from fleet.core.model.outcome import HostAttempt, NodeOutcome, NodeStatus, PullClient, Verified
from fleet.core.model.owned_state import STATE_FILE, OwnedState
from fleet.core.model.secret import Secret
from fleet.core.model.version import parse_version
from fleet.core.plan.drift import find_drift
from fleet.core.plan.node_plan import NodePlan
from fleet.core.report.data import planned_data, report_data
from fleet.core.report.html import html
from fleet.core.report.junit import junit
from fleet.engine.bugs import bug
from fleet.node.run_script import failure_of
from fleet.node.script import Reply, protocol_error
from tests.core.masking.ways import FREE, SECRET, TOML, YAML

MARK = Fingerprints(b"k" * 32)
HOSTS = "/etc/containerd/certs.d/docker.io/hosts.toml"
FILES = [(HOSTS, text) for text in TOML.values()]
FILES += [("/etc/rancher/k3s/registries.yaml", text) for text in YAML.values()]
NAMES = [*(f"toml, {name}" for name in TOML), *(f"yaml, {name}" for name in YAML)]
STARTED = "2026-01-01T00:00:00.000+00:00"


def planned(path: str, text: str) -> NodePlan:
    """Return a plan that takes a secret away, and one line beside it."""
    before = ManagedFile(text.encode())
    change = Change(path, before, ManagedFile(b"# nothing\n"))
    return NodePlan(node=Node(name="w1", host="w1"), strategy="certs.d", changes=(change,))


def on_screen(plan: NodePlan) -> str:
    out = Console(file=io.StringIO(), width=200, markup=False)
    print_plans([plan], out, MARK)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def reports(entries: list[JournalEntry]) -> Iterator[str]:
    about = {"kind": "rollout", "operator": "e", "files": {}, "batches": [["w1"]]}
    data = clean_data(report_data("r1", STARTED, about, entries))
    yield from (json.dumps(data), html(data), junit(data))


@pytest.mark.parametrize(("path", "text"), FILES, ids=NAMES)
def test_a_secret_of_a_file_is_shown_nowhere(
    path: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = planned(path, text)
    state = ManagedFile(OwnedState("g", {path: "0" * 64}).render())
    facts = NodeFacts(files={path: ManagedFile(text.encode()), STATE_FILE: state})
    rows = planned_data([plan], MARK)

    print_json(rows)
    shown = [
        unified_diff(plan.changes[0], MARK),
        on_screen(plan),
        json.dumps([asdict(each) for each in find_drift(facts, plan, MARK)]),
        json.dumps(clean_data(rows)),
        capsys.readouterr().out,
        *reports([JournalEntry(STARTED, "planned", None, rows)]),
    ]

    assert not [number for number, each in enumerate(shown) if SECRET in each]
    assert not [number for number, each in enumerate(shown[:5]) if "***#" not in each]


@pytest.mark.parametrize("text", FREE.values(), ids=list(FREE))
def test_a_secret_of_a_nodes_words_is_shown_nowhere(text: str) -> None:
    words = tail(text)
    answer = {"failure": "verify", "failed_step": "verify", "message": text, "evidence": text}
    records = ((key, (b64encode(value.encode()).decode(),)) for key, value in answer.items())
    failure = failure_of(Reply(tuple(records)))
    hop = HostAttempt("h", "manifest", words)
    pull = Verified(
        "i",
        ok=False,
        via=PullClient.CTR,
        mirror=None,
        detail=words,
        evidence=words,
        attempts=(hop,),
    )
    outcome = NodeOutcome(
        node="w1", status=NodeStatus.ROLLED_BACK, verified=(pull,), failure=failure
    )
    data = clean_data(outcome_data(outcome))
    line = Masking().format(logging.makeLogRecord({"msg": text}))
    out = Console(file=io.StringIO(), width=200, markup=False)
    print_outcomes([outcome], out)
    assert isinstance(out.file, io.StringIO)

    shown = [
        json.dumps(data),
        line,
        out.file.getvalue(),
        *reports([JournalEntry(STARTED, "moved", "w1", data)]),
    ]

    assert not [number for number, each in enumerate(shown) if SECRET in each]


@pytest.mark.parametrize("text", TOML.values(), ids=list(TOML))
@pytest.mark.parametrize("name", [HOSTS, "/etc/containerd/config.toml"])
def test_a_secret_of_a_rendered_root_is_shown_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    root = tmp_path / "root"
    for path, content in {"/etc/containerd/config.toml": "version = 2\n", name: text}.items():
        (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (root / path[1:]).write_bytes(content.encode())
    mirrors = tmp_path / "mirrors.yaml"
    mirrors.write_text("mirrors: {docker.io: {endpoints: [https://m.corp.test]}}\n")
    words = ["render", "--containerd", "1.7.24", "--root", str(root), "-m", str(mirrors)]
    words += ["--out", str(tmp_path / "out"), "--log", str(tmp_path / "log")]

    for more in ([], ["--json"]):
        with pytest.raises(SystemExit):
            fleet([*words, *more], standalone_mode=False)
    for handler in [*LOG.handlers]:
        LOG.removeHandler(handler)
        handler.close()

    shown = capsys.readouterr()
    assert shown.out
    assert SECRET not in shown.out
    assert SECRET not in shown.err
    assert SECRET not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("text", TOML.values(), ids=list(TOML))
def test_a_secret_of_a_hosts_file_is_not_in_its_explanation(text: str) -> None:
    config = 'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/c"\n'
    files = {"/etc/containerd/config.toml": config, "/c/docker.io/hosts.toml": text}
    facts = NodeFacts(
        daemon=DaemonFacts(running_version=parse_version("1.7.24")),
        config=ConfigFacts(dump=Answer(config, 0)),
        files={path: ManagedFile(content.encode()) for path, content in files.items()},
        paths=PathFacts(directories=frozenset({"/c/docker.io"})),
    )

    try:
        told = json.dumps(clean_data(asdict(explain(facts, "docker.io"))))
    except NodeError as error:
        told = repr(error.failure)

    assert SECRET not in told


LOGIN = Mirror(
    url="https://m.corp.test",
    auth=Auth("robot", Secret(SECRET)),
    header=(("X-Any", (Secret(f"Token {SECRET}x"),)),),
)
ECHOED = (
    f"denied: the user robot with {SECRET}",
    "denied: cm9ib3Q6aFVudDNyMlpx",
    f"bad header {SECRET}x",
)


@pytest.mark.parametrize("words", ECHOED)
def test_a_secret_of_mirrors_yaml_that_a_node_repeats_is_not_shown(words: str) -> None:
    registry = Registry(name="docker.io", server=None, mirrors=(LOGIN,))
    failure = Failure(FailureKind.VERIFY, Step.VERIFY, words, words, words)
    pull = Verified("i", ok=False, via=PullClient.CTR, mirror=None, detail=words, evidence=words)
    outcome = NodeOutcome(
        node="w1", status=NodeStatus.ROLLED_BACK, verified=(pull,), failure=failure
    )

    shown = clean_outcome(outcome, known_secrets(MirrorConfig((registry,))))

    told = json.dumps(outcome_data(shown))
    assert "***" in told
    assert not [form for form in (SECRET, "cm9ib3Q6aFVudDNyMlpx") if form in told]


def test_a_bug_and_an_odd_answer_quote_no_secret() -> None:
    words = f'KeyError: "https://u:{SECRET}@h" password={SECRET}'

    failures = (bug(ValueError(words), "a"), protocol_error("an odd answer", words).failure)

    assert [SECRET in f"{failure.message}{failure.evidence}" for failure in failures] == [False] * 2

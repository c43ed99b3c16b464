"""The values that a shell is offered, from the files that the line names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fleet.cli.app import fleet
from fleet.cli.shell_completion import answer
from fleet.journal import Journal
from tests.support.api_server import api_server, listing, node_object

FIRST, SECOND = "20261126-101500-00aa", "20261127-224110-00bb"
INVENTORY = """
all:
  children:
    edge: {hosts: {"edge[1-2]": {}}}
    workers: {hosts: {w1: {host: 10.0.0.1}}}
"""
MIRRORS = """
version: 1
mirrors:
  docker.io: {endpoints: ["https://m.example"]}
  harbor.example:5000: {endpoints: ["https://h.example"]}
configs:
  h.example: {auth: {username: robot, password: "env:FLEET_TEST_UNSET"}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the working folder, with both files and a journal of two rollouts."""
    monkeypatch.chdir(tmp_path)
    Path("inventory.yaml").write_text(INVENTORY)
    Path("mirrors.yaml").write_text(MIRRORS)
    begin(Path(".fleet/journal.db"), FIRST, SECOND)
    return tmp_path


def begin(path: Path, *names: str) -> None:
    journal = Journal(path)
    for name in names:
        about = {"kind": "rollout", "operator": "me@here", "flags": {"message": f"OPS\n{name}"}}
        journal.begin(name, "2026-11-27T22:41:10.5+00:00", about)


def offered(line: str, monkeypatch: pytest.MonkeyPatch, shell: str = "fish") -> list[str]:
    """Return what a shell is offered for a line up to the cursor."""
    monkeypatch.setenv("COMP_WORDS", line)
    return [reply.partition(",")[2] for reply in answer(fleet, f"{shell}_complete").splitlines()]


IDS = ["last", SECOND, FIRST]


def test_a_cluster_is_offered_its_contexts_nodes_and_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = node_object("n1", "10.0.0.1")
    node["metadata"]["labels"] = {"pool": "gpu"}
    with api_server(listing([node])) as server:
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path)))

        assert offered("fleet probe -i kube:", monkeypatch) == ["kube:lab"]
        assert offered("fleet verify --kube-context l", monkeypatch) == ["lab"]
        assert offered("fleet -i kube:lab explain ", monkeypatch) == ["n1"]
        assert offered("fleet probe -i kube: -l 'all:!label:pool=", monkeypatch) == [
            "all:!label:pool=gpu\tgroup of 1 node"
        ]
    assert not any(offered("fleet -i kube:lab explain ", monkeypatch))


OFFERED = {
    "fleet roll": ["rollback", "rollout"],
    "fleet report x --format j": ["json", "junit"],
    **{f"fleet {command} ": IDS for command in ("history", "report", "resume", "undo", "unlock")},
    "fleet rollback --to 20261126": [FIRST],
    "fleet rollout --rerun failed 20261127": [SECOND],
    "fleet rollout --rerun f": ["failed"],
    "fleet probe -l ": ["all", "edge", "workers", "edge1", "edge2", "w1"],
    "fleet diff -x w": ["workers", "w1"],
    "fleet diff -l edge:w1": ["edge:w1"],
    "fleet diff -l edge,wo": ["edge,workers"],
    "fleet diff -l 'edge:!edge1,&wo": ["edge:!edge1,&workers"],
    "fleet diff -l '!wo": ["!workers"],
    "fleet diff --limit=wo": ["--limit=workers"],
    "fleet -l wo": ["workers"],
    "fleet explain w": ["w1"],
    "fleet explain w1 ": ["docker.io", "harbor.example:5000"],
    "fleet explain w1 har": ["harbor.example:5000"],
    "fleet history --node edge": ["edge1", "edge2"],
    "fleet inventory w1 e": ["edge1", "edge2"],
    "fleet schema output unl": ["unlock"],
    "fleet completion ": ["bash", "zsh", "fish"],
    "fleet nonsense --lim": ["--limit"],
    "fleet probe -l [": [],
}


@pytest.mark.parametrize("line", OFFERED)
def test_values_that_fit_are_offered(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = [reply.partition("\t")[0] for reply in offered(line, monkeypatch)]

    assert [value for value in values if value] == OFFERED[line]


def test_values_have_descriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"2026-11-27 22:41 rollout by me@here: OPS {SECOND}"

    assert offered("fleet report ", monkeypatch)[:2] == [
        "last\tthe newest rollout",
        f"{SECOND}\t{text}",
    ]
    assert offered("fleet probe -l e", monkeypatch)[0] == "edge\tgroup of 2 nodes"
    assert offered("fleet explain w1 d", monkeypatch) == ["docker.io\t1 mirror"]
    assert offered("fleet prob", monkeypatch) == ["probe\tRead every node and show its state"]
    assert offered("fleet prob", monkeypatch, "bash") == ["probe"]
    assert offered("fleet report 2", monkeypatch, "bash")[0] == f"{SECOND}\t{text}"


def test_files_that_the_line_names_are_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = folder / "other"
    other.mkdir()
    (other / "hosts.ini").write_text("[db]\nd1\n")
    (other / "m.yaml").write_text(MIRRORS.replace("docker.io", "quay.io"))
    begin(other / ".fleet/journal.db", "20200101-000000-abcd")
    begin(other / "mine.db", "20210101-000000-abcd")
    named = {
        "fleet -i other/hosts.ini probe -l d": ["db", "d1"],
        "fleet probe -i other/hosts.ini -l d": ["db", "d1"],
        "fleet -i other/hosts.ini report 2": ["20200101-000000-abcd"],
        "fleet report --journal other/mine.db 2": ["20210101-000000-abcd"],
        "fleet -m other/m.yaml explain w1 q": ["quay.io"],
    }

    for line, values in named.items():
        replies = offered(line, monkeypatch)
        assert [reply.partition("\t")[0] for reply in replies] == values, line


BROKEN = {
    "missing": None,
    "no YAML": b"all: [\t}",
    "bytes": b"\xff\xfe\x00",
    "another kind": b"- 1\n- 2\n",
    "empty": b"",
}
LINES = ("fleet probe -l ", "fleet explain w1 ", "fleet explain w", "fleet report ")


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_broken_files_offer_nothing_and_say_nothing(
    content: bytes | None,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in ("inventory.yaml", "mirrors.yaml", ".fleet/journal.db"):
        for path in folder.glob(f"{name}*"):
            path.unlink()
        if content is not None:
            (folder / name).write_bytes(content)

    assert [offered(line, monkeypatch) for line in LINES] == [[""]] * 4
    assert capfd.readouterr() == ("", "")


def test_a_pipe_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("inventory.yaml", "mirrors.yaml"):
        (folder / name).unlink()
        os.mkfifo(folder / name)

    assert [offered(line, monkeypatch) for line in LINES[:3]] == [[""]] * 3


def test_hostile_names_are_not_offered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(folder / ".fleet/journal.db", "x$(reboot)\x1b", "a\nplain,b")
    begin(folder / ".fleet/journal.db", "20261128-000000-00cc")

    replies = offered("fleet report ", monkeypatch)

    assert [reply.partition("\t")[0] for reply in replies] == [
        *("last", "20261128-000000-00cc", SECOND, FIRST)
    ]


def test_an_unknown_request_has_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_WORDS", "fleet ")

    assert [answer(fleet, request) for request in ("tcsh_complete", "bash_eat", "")] == [""] * 3

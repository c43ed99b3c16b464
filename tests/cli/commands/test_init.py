"""First contact: init writes files that check refuses until they are filled in."""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from pathlib import Path

import pytest

from fleet.config.load import load_files
from tests.support.fleet import Fleet

FILES = ("inventory.yaml", "mirrors.yaml", "mirrors.example.yaml")


@pytest.fixture
def empty(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path, "/nonexistent")


def test_without_answers_check_names_every_placeholder(empty: Fleet) -> None:
    first = empty("init")
    checked = empty("check")

    assert (first.code, checked.code) == (0, 2)
    assert first.stdout == "".join(f"{name}: written\n" for name in FILES)
    assert first.stderr == (
        "Next: replace CHANGE_ME in inventory.yaml and mirrors.yaml, then run: fleet check\n"
    )
    lines = [line for line in checked.stderr.splitlines() if "replace CHANGE_ME" in line]
    assert lines == [
        "inventory.yaml:10:5: replace CHANGE_ME with the name of a node, such as w1 or w[1-3]",
        "inventory.yaml:10:23: replace CHANGE_ME with the address of that node, such as 10.0.0.1",
        "mirrors.yaml:8:9: replace CHANGE_ME with the address of your mirror, such as"
        " mirror.example.net",
    ]
    assert checked.stderr.endswith("\n3 errors\n")


def test_other_mistakes_come_together_with_placeholders(empty: Fleet) -> None:
    empty("init")
    empty.edit("mirrors.yaml", "version: 1", "version: 2")

    checked = empty("check")

    assert "only 1 is supported, got 2" in checked.stderr
    assert checked.stderr.count("replace CHANGE_ME") == 3


@pytest.mark.parametrize("name", FILES[:2])
def test_a_starter_is_short(empty: Fleet, name: str) -> None:
    empty("init")

    assert len((empty.folder / name).read_text().splitlines()) < 25


def test_options_fill_the_files_in_and_check_leads_on(empty: Fleet) -> None:
    ran = empty(
        "init", "--node", "w[1-2]", "--node", "cp1=10.0.0.5:2222", "--node", "v6=[2001:db8::1]",
        "--node", "on", "--user", "ops", "--mirror", "https://m.example",
        "--mirror", "n.example", "--mirror", "quay.io=https://m.example/v2/quay",
        "--mirror", "*=http://[::1]:5000",
    )  # fmt: skip
    checked = empty("check")
    files = load_files(empty.folder / "inventory.yaml", empty.folder / "mirrors.yaml")

    assert (ran.stderr, ran.code) == ("Next: fleet check\n", 0)
    assert (checked.stdout, checked.code) == ("ok: 5 nodes, 3 registries\n", 0)
    assert checked.stderr == "Next: fleet hostkeys\n"
    assert [(node.name, node.host, node.port, node.user) for node in files.inventory.nodes] == [
        ("w1", "w1", None, "ops"),
        ("w2", "w2", None, "ops"),
        ("cp1", "10.0.0.5", 2222, "ops"),
        ("v6", "2001:db8::1", None, "ops"),
        ("on", "on", None, "ops"),
    ]
    urls = {
        registry.name: [mirror.url for mirror in registry.mirrors]
        for registry in files.mirrors.registries
    }
    assert urls == {
        "docker.io": ["https://m.example", "https://n.example"],
        "quay.io": ["https://m.example/v2/quay"],
        "_default": ["http://[::1]:5000"],
    }


def test_nothing_is_overwritten_but_schemas_are_renewed(empty: Fleet) -> None:
    for name in FILES:
        empty.write(name, "mine")
    empty("init")
    schema = empty.folder / ".fleet" / "mirrors.schema.json"
    schema.write_text("old")

    ran = empty("init", "--json")

    assert ran.json == {"files": dict.fromkeys(FILES, False)}
    assert all((empty.folder / name).read_text() == "mine" for name in FILES)
    assert schema.read_text() != "old"
    assert schema.parent.stat().st_mode & 0o077 == 0


REFUSED = {
    "a name with a space": (("--node", "a b"), "invalid node name 'a b'"),
    "one host for a range": (("--node", "w[1-3]=10.0.0.1"), "one host for 3 nodes"),
    "a host that is none": (("--node", "a=$(id)"), "got '$(id)'"),
    "a port out of range": (("--node", "a=b:70000"), "expected 1 to 65535, got 70000"),
    "a login that is none": (("--user", "a b"), "login: expected"),
    "a URL without scheme": (("--mirror", "m.example/x"), "write https://m.example/x"),
    "the registry itself": (("--mirror", "quay.io=https://quay.io"), "not a mirror of it"),
    "a registry that is none": (
        ("--mirror", "Quay.io=https://a.example"),
        "registry names are lower case: 'quay.io'",
    ),
}


@pytest.mark.parametrize(("words", "message"), REFUSED.values(), ids=list(REFUSED))
def test_a_bad_answer_writes_nothing(empty: Fleet, words: tuple[str, ...], message: str) -> None:
    ran = empty("init", *words)

    assert ran.code == 2
    assert message in ran.stderr
    assert list(empty.folder.iterdir()) == []


def test_next_commands_keep_the_files_of_the_user(empty: Fleet) -> None:
    named = ("-i", "my hosts.yaml", "-m", "m.yaml")

    ran = empty("init", *named, "--node", "a", "--mirror", "https://m.example")
    checked = empty("check", *named)

    assert ran.stderr == "Next: fleet check -i 'my hosts.yaml' -m m.yaml\n"
    assert checked.stderr == "Next: fleet hostkeys -i 'my hosts.yaml'\n"


def test_a_terminal_is_asked_and_asked_again(tmp_path: Path) -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execv(sys.executable, [sys.executable, "-m", "fleet", "init"])
    talk = Talk(terminal)
    try:
        talk.answer("Nodes", "w1=10.0.0.1 a;b")
        talk.wait_for("invalid node name 'a;b'")
        talk.answer("Nodes", "w1=10.0.0.1, w2=10.0.0.2")
        talk.answer("Login", "")
        talk.answer("Mirror", "https://m.example")
        talk.wait_for("Next: fleet check")
        _, status = os.waitpid(child, 0)  # a terminal that closes before the end kills it
    finally:
        os.close(terminal)
    files = load_files(tmp_path / "inventory.yaml", tmp_path / "mirrors.yaml")

    assert status == 0
    assert [node.host for node in files.inventory.nodes] == ["10.0.0.1", "10.0.0.2"]


class Talk:
    """A terminal's output, read up to each text that is awaited."""

    def __init__(self, terminal: int) -> None:
        self._terminal, self._shown = terminal, ""

    def wait_for(self, text: str, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while text not in self._shown:
            ready, _, _ = select.select([self._terminal], [], [], max(0, end - time.monotonic()))
            assert ready, f"{text!r} was not shown: {self._shown!r}"
            self._shown += os.read(self._terminal, 4096).decode(errors="replace")
        self._shown = self._shown.partition(text)[2]

    def answer(self, question: str, text: str) -> None:
        self.wait_for(question)
        self.wait_for(": ")
        os.write(self._terminal, f"{text}\n".encode())

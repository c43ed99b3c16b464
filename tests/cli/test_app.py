"""The command line where no node is needed: files, usage, exit codes."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from fleet.cli.app import main
from tests.support.fleet import Fleet

HOSTILE = ("../../etc/cron.d", "a b", "$(id)")


def test_check_tells_that_the_files_are_whole(offline: Fleet) -> None:
    ran = offline("check")
    document = offline("check", "--json").json

    assert (ran.code, ran.stdout) == (0, "ok: 4 nodes, 11 registries\n")
    assert document == {"ok": True, "nodes": 4, "registries": 11, "problems": []}


def test_mistakes_of_both_files_come_at_once_with_their_place(offline: Fleet) -> None:
    offline.edit("inventory.yaml", "user: ops", "usr: ops")
    offline.edit("mirrors.yaml", "https://k8s.m.daocloud.io", "k8s.m.daocloud.io")

    ran = offline("check")
    document = offline("check", "--json")

    assert ran.code == 2
    assert (
        'inventory.yaml:7:5: all.vars: unknown key "usr" (did you mean "user"?)\n'
        "   |\n 7 |     usr: ops\n   |     ^^^\n"
    ) in ran.stderr
    assert "mirrors.yaml:34:17: mirrors.registry.k8s.io.endpoints[0]" in ran.stderr
    assert document.code == 2
    assert [each["line"] for each in document.json["problems"]] == [7, 34]


@pytest.mark.parametrize("command", ["check", "diff", "rollout"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_registry_names_never_get_near_a_node(
    offline: Fleet, command: str, name: str
) -> None:
    offline.edit("mirrors.yaml", "  quay.io:", f'  "{name}":')

    ran = offline(command, *(["-y"] if command == "rollout" else []))

    assert ran.code == 2
    assert "mirrors.yaml:48:3: mirrors: " in ran.stderr
    assert "is not a registry" in ran.stderr


USAGE = {
    "an unknown command": ("frobnicate",),
    "an unknown flag": ("check", "--frob"),
    "a pattern that names nobody": ("inventory", "-l", "nobody"),
    "an empty pattern": ("inventory", "-l", ""),
    "an empty pattern before the command": ("-l", "", "inventory"),
    "a missing file": ("check", "-i", "nowhere.yaml"),
    "a bad batch": ("rollout", "-y", "--batch", "x"),
    "an unknown rollout": ("history", "nothing"),
}


@pytest.mark.parametrize("words", USAGE.values(), ids=list(USAGE))
def test_bad_usage_is_exit_2_and_one_message(offline: Fleet, words: tuple[str, ...]) -> None:
    ran = offline(*words)

    assert ran.code == 2
    assert ran.stderr.strip()
    assert ran.stdout == ""


def test_inventory_tells_where_each_value_came_from(offline: Fleet) -> None:
    text = offline("inventory", "-l", "forky1").stdout
    document = offline("inventory", "--json").json
    graph = offline("inventory", "--graph").stdout

    assert "host: 10.213.0.14  # inventory.yaml:17:24 (current.forky1)" in text
    assert document["nodes"]["forky1"]["values"]["user"] == {
        "value": "ops",
        "from": "inventory.yaml:7:11 (all.vars)",
        "overrides": [],
    }
    assert graph.splitlines()[:3] == ["@all", "  @legacy", "    bullseye1"]


BEATEN = """\
all:
  vars: {user: ops, port: 22}
  children:
    workers: {vars: {user: root, port: 2222}, hosts: {w1: {user: admin}, w2: {}}}
"""


def test_a_named_node_tells_which_values_were_beaten(offline: Fleet) -> None:
    offline.write("inventory.yaml", BEATEN)

    text = offline("inventory", "w1").stdout
    document = offline("inventory", "w[1-2]", "--json").json

    assert text.splitlines() == [
        "w1  [workers, all]  the nearest group first",
        "  host: w1  # the node's name",
        "  port: 2222  # inventory.yaml:4:40 (workers.vars)",
        "    overrides 22  # inventory.yaml:2:27 (all.vars)",
        "  user: admin  # inventory.yaml:4:66 (workers.w1)",
        "    overrides root  # inventory.yaml:4:28 (workers.vars)",
        "    overrides ops  # inventory.yaml:2:16 (all.vars)",
        "  identity_file: -  # not set: the keys of ~/.ssh/config and the agent",
        "  become: -  # not set: sudo unless the login is root",
        "  jump: -  # not set: as in ~/.ssh/config (ProxyJump)",
    ]
    assert [each["value"] for each in document["nodes"]["w2"]["values"]["user"]["overrides"]] == [
        "ops"
    ]
    assert offline("inventory", "w1", "-l", "w2").code == 2


@pytest.mark.parametrize(
    "words", [("diff",), ("history", "nothing"), ("check", "--frob"), ("inventory", "nobody")]
)
def test_a_mistake_is_a_document_too(offline: Fleet, words: tuple[str, ...]) -> None:
    offline.edit("mirrors.yaml", "version: 1", "version: 1\nversion: 1\nverse: 2")

    ran = offline(*words, "--json")

    assert ran.code == ran.json["error"]["code"] == 2
    assert ran.json["error"]["message"]
    lines = [each["line"] for each in ran.json["error"]["problems"]]
    assert len(lines) == (2 if words == ("diff",) else 0)


def test_history_of_a_fleet_that_has_none_is_empty(offline: Fleet) -> None:
    assert offline("history", "--json").json == {"rollouts": []}
    ran = offline("history", "--journal", "j.db")
    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "No rollouts yet (j.db).\n")


def test_a_bug_is_one_message_and_a_traceback_only_if_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("on purpose \x1b[31m password=hunter2 so")

    log = logging.getLogger("fleet")
    monkeypatch.setattr(log, "handlers", [])
    monkeypatch.setattr(log, "level", log.level)
    monkeypatch.setattr("fleet.config.load.load_files", broken)
    monkeypatch.setattr(sys, "argv", ["fleet", "check"])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["fleet", "-vv", "check"])

    assert ended.value.code == 1
    assert shown == (
        "a bug in fleet: ZeroDivisionError: on purpose \\x1b[31m password=*** so; -vv shows where\n"
    )
    with pytest.raises(SystemExit):
        main()
    wordy = capsys.readouterr().err
    assert "Traceback (most recent call last):" in wordy
    assert "hunter2" not in wordy


UNKNOWN_HOME = "~no-such-user-4711/x"
PATHS = (
    ("history", "-i", UNKNOWN_HOME),
    ("check", "--log", UNKNOWN_HOME),
    ("check", "-m", UNKNOWN_HOME),
    ("inventory", "-F", UNKNOWN_HOME),
    ("man", f"{UNKNOWN_HOME}/man"),
)


@pytest.mark.parametrize("words", PATHS, ids=" ".join)
def test_a_home_folder_that_nobody_has_is_no_bug(offline: Fleet, words: tuple[str, ...]) -> None:
    assert "bug" not in offline(*words).text


def test_a_working_folder_that_is_gone_is_named(offline: Fleet, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    line = f"cd {gone} && rmdir {gone} && exec {sys.executable} -m fleet history"

    ran = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)

    assert ran.returncode == 2
    assert "the working folder is gone" in ran.stderr


USAGE = {
    "two ways with foreign files": (
        ("rollout", "-y", "--keep", "--overwrite"),
        "--keep and --overwrite exclude each other: choose one",
    ),
    "two ways of a diff": (
        ("diff", "--adopt", "--keep"),
        "--adopt and --keep exclude each other: choose one",
    ),
    "a budget in words": (
        ("rollout", "-y", "--max-failures", "x"),
        "--max-failures: expected a number or a percentage such as 3 or 25%, got 'x'",
    ),
    "no ssh_config": (
        ("probe", "-F", "nowhere"),
        "nowhere: the ssh_config cannot be read (No such file or directory); name another with -F",
    ),
    "no ssh_config in the environment": (("hostkeys",), "/nonexistent: the ssh_config cannot"),
    "no inventory": (
        ("rollout", "-i", "hosts.yaml"),
        "hosts.yaml: not found; create it with `fleet init`, or name yours with -i FILE\n",
    ),
    "no mirrors": (
        ("rollout", "-m", "m.yaml"),
        "m.yaml: not found; create it with `fleet init`, or name yours with -m FILE\n",
    ),
    "an unknown distribution": (
        ("probe", "-i", "odd.yaml"),
        "odd.yaml:1:28: all.w1.distro: expected one of k3s, rke2, k0s, microk8s, canonical-k8s,"
        " containerd, debian, rhel, eks, flatcar, cos, got 'k8s'",
    ),
}


@pytest.mark.parametrize(("words", "message"), USAGE.values(), ids=USAGE)
def test_mistakes_of_usage_end_before_any_node_is_asked(
    offline: Fleet, words: tuple[str, ...], message: str
) -> None:
    offline.write("odd.yaml", "all: {hosts: {w1: {distro: k8s}}}\n")

    ran = offline(*words)

    assert (ran.code, ran.stdout) == (2, "")
    assert message in ran.stderr


def test_the_former_name_of_a_command_works_and_is_not_listed(offline: Fleet) -> None:
    assert "  locks " in offline("--help").stdout
    assert "  lock " not in offline("--help").stdout
    assert "fleet locks [OPTIONS]" in offline("lock", "--help").stdout

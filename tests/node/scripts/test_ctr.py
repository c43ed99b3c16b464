"""lib/ctr.sh: the removal of what ctr has fetched."""

from __future__ import annotations

import os

from tests.node.scripts.shell import Shell

GIVEN = {"NAMESPACE": "n", "PULL_SECONDS": "5", "SOCKET": "/s", "image": "docker.io/x:1"}
BASE = "ctr --timeout 20s --connect-timeout 5s -a /s"


def test_a_namespace_is_removed_at_once_if_it_is_empty(shell: Shell) -> None:
    shell.stand_in("ctr", "")

    shell.output("ctr", "ctr_remove_image; ctr_remove_namespace", **GIVEN)

    assert shell.calls == [
        f"{BASE} -n n images rm --sync docker.io/x:1",
        f"{BASE} namespaces rm n",
    ]


def test_a_namespace_is_emptied_of_images_and_leases_first(shell: Shell) -> None:
    body = """case $* in
    *"images ls"*) echo i ;;
    *"leases ls"*) echo l ;;
    *"leases rm"*) touch emptied ;;
    *"namespaces rm"*) [ -e emptied ] ;;
    esac"""
    shell.stand_in("ctr", body)

    shell.output("ctr", "ctr_remove_namespace", **GIVEN)

    removed = [call.removeprefix(f"{BASE} -n n ") for call in shell.calls if " --sync" in call]
    assert removed == ["images rm --sync i", "leases rm --sync l"]


def test_a_namespace_that_stays_is_given_up(shell: Shell) -> None:
    shell.stand_in("ctr", "exit 1")

    assert shell.run("ctr", "ctr_remove_namespace", **GIVEN).code == 1


def test_crictl_gets_the_socket_and_a_deadline(shell: Shell) -> None:
    shell.stand_in("crictl", "")

    shell.output("ctr", "ctr_crictl pull x", **GIVEN)

    assert shell.calls == ["crictl -r unix:///s -i unix:///s pull x"]


def test_work_of_processes_that_are_gone_is_removed(shell: Shell) -> None:
    for name in ("verify-r1-4194305", "selftest-4194305", f"verify-r1-{os.getpid()}", "stage-r1"):
        (shell.run_folder / name).mkdir()

    shell.output("ctr", "ctr_remove_left_work", **GIVEN)

    assert {path.name for path in shell.run_folder.iterdir()} == {
        f"verify-r1-{os.getpid()}",
        "stage-r1",
    }

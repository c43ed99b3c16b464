"""lib/workloads.sh: the containers that run, and those that a restart has ended."""

from __future__ import annotations

import os
from pathlib import Path

from tests.node.scripts.shell import Shell

FIND = "workloads=\nworkloads_find\nprintf '%s' \"$workloads\""
TASKS = """case $* in
*namespaces*) echo k8s.io ;;
*"tasks ls"*) echo "TASK PID STATUS"; cat tasks ;;
*"info gone"*) exit 1 ;;
esac"""


def given(shell: Shell, before: str = "") -> dict[str, str]:
    """Return the variables of a daemon whose state lies in a private folder."""
    return {"SOCKET": str(shell.folder / "run/containerd.sock"), "before_restart": before}


def shim(shell: Shell, container: str, process: str | None) -> None:
    """Make the folder of a container's shim."""
    folder = Path(given(shell)["SOCKET"]).parent / "io.containerd.runtime.v2.task/k8s.io"
    (folder / container).mkdir(parents=True)
    if process is not None:
        (folder / container / "init.pid").write_text(process)


def test_containers_are_found_by_the_files_of_their_shims(shell: Shell) -> None:
    shell.stand_in("ctr", TASKS)
    shim(shell, "here", str(os.getpid()))
    shim(shell, "ended", "4194305")

    found = shell.output("workloads", FIND, **given(shell))

    assert found == f"k8s.io here {os.getpid()} RUNNING\n"
    assert shell.calls == []


def test_containerd_is_asked_if_a_shim_keeps_no_file(shell: Shell) -> None:
    shell.stand_in("ctr", TASKS)
    (shell.folder / "tasks").write_text("a 12 RUNNING\nb 13 STOPPED\n")
    shim(shell, "here", None)

    assert shell.output("workloads", FIND, **given(shell)) == "k8s.io a 12 RUNNING"


def test_processes_are_there_or_not(shell: Shell) -> None:
    code = f"""
    workloads_all_run "k8s.io a {os.getpid()} RUNNING${{NL}}k8s.io b {os.getppid()} RUNNING"
    printf '%s' $?
    workloads_all_run "k8s.io a {os.getpid()} RUNNING${{NL}}k8s.io b 4194305 RUNNING"
    printf '%s' $?
    workloads_all_run ''
    printf '%s' $?
    """

    assert shell.output("workloads", code, **given(shell)) == "010"


def test_lost_is_what_is_still_known_but_does_not_run(shell: Shell) -> None:
    shell.stand_in("ctr", TASKS)
    (shell.folder / "tasks").write_text("runs 12 RUNNING\nstopped 13 STOPPED\nother 99 RUNNING\n")
    names = ("runs 12", "stopped 13", "lost 14", "gone 15", "other 16")
    before = "\n".join(f"k8s.io {name} RUNNING" for name in names)

    found = shell.output("workloads", "workloads_lost || :", **given(shell, before))

    assert found.splitlines() == ["k8s.io/lost (process 14)", "k8s.io/other (process 16)"]

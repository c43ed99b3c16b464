"""lib/movable.sh: files that cannot be replaced, found before any change."""

from __future__ import annotations

from tests.node.scripts.shell import HOOKS, Shell

GIVEN = {
    **{"ID": "r1", "MODE": "stage", "OPERATOR": "me", "GUARD": "1", "CONFIGS": "", "path": ""},
    **HOOKS,
}


def operations(path: object) -> str:
    """Return an operation on one path."""
    return f"update\t644\t0\t0\td\te\t{path}"


def test_plain_files_are_movable_and_no_process_is_started(shell: Shell) -> None:
    _ = shell.state, shell.units
    shell.stand_in("touch", "")
    (shell.folder / "a").write_text("x")
    given = {**GIVEN, "OPERATIONS": operations(shell.folder / "a")}

    assert shell.output("movable", "movable_check; printf passed", **given) == "passed"
    assert shell.calls == []


def test_a_folder_that_is_not_there_yet_counts_as_the_one_above(shell: Shell) -> None:
    _ = shell.state, shell.units
    given = {**GIVEN, "OPERATIONS": operations(shell.folder / "a/b/c")}

    assert shell.output("movable", "movable_check; printf passed", **given) == "passed"


def test_a_mount_point_is_refused(shell: Shell) -> None:
    shell.stand_in("findmnt", "echo mounted")
    given = {**GIVEN, "OPERATIONS": operations("/proc")}

    done = shell.run("movable", "movable_check; printf passed", **given)

    assert done.failure[:2] == ("conflict", "stage")
    assert "umount /proc" in done.reply.value("remedy")

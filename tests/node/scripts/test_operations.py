"""lib/operations.sh: the operations of a change."""

from __future__ import annotations

from fleet.node.bundle import MARK, pack
from tests.node.scripts.shell import Shell

OPERATIONS = "\n".join(
    (
        "create\t644\t0\t1\t-\tabc\t/etc/a b/x*.toml",
        "delete\t-\t-\t-\tdef\t-\t/etc/old",
        "update\t600\t2\t3\t@a\t@b\t/etc/link",
    )
)
GIVEN = {"ID": "r1", "CONFIGS": "/etc/old\n/etc/link", "OPERATIONS": OPERATIONS, "path": ""}


def test_each_operation_has_its_fields_and_its_number(shell: Shell) -> None:
    code = """
    show() { printf '%s|' "$number" "$action" "$mode" "$uid" "$gid" "$before" "$after" "$path"; }
    operations_each show
    """

    assert shell.output("operations", code, **GIVEN) == (
        "1|create|644|0|1|-|abc|/etc/a b/x*.toml|"
        "2|delete|-|-|-|def|-|/etc/old|"
        "3|update|600|2|3|@a|@b|/etc/link|"
    )


def test_paths_beside_a_file_are_known(shell: Shell) -> None:
    code = 'show() { printf "%s|%s\\n" "$staged" "$hidden"; }\noperations_each show'

    assert shell.output("operations", code, **GIVEN).splitlines()[0] == (
        "/etc/a b/.fleet-r1.x*.toml.new|/etc/.fleet-r1/a b"
    )


def test_a_function_that_fails_ends_the_rest(shell: Shell) -> None:
    code = 'stop_at() { printf "%s" "$number"; [ "$number" != 2 ]; }\noperations_each stop_at'

    done = shell.run("operations", code, **GIVEN)

    assert (done.code, done.output) == (1, "12")


def test_fields_are_gone_after_the_last_operation(shell: Shell) -> None:
    code = 'operations_each true; printf \'%s|%s\' "${after-unset}" "$path"'

    assert shell.output("operations", code, **GIVEN) == "unset|"


def test_configs_are_told_from_other_files(shell: Shell) -> None:
    code = "show() { operations_is_config && printf '%s ' \"$path\"; return 0; }\n"

    assert shell.output("operations", f"{code}operations_each show", **GIVEN) == (
        "/etc/old /etc/link "
    )


def test_each_operation_that_writes_gets_its_part(shell: Shell) -> None:
    content = pack((b"first\n", b"\xff\x00", b"guard\n")).decode()
    code = """
    show() { [ "$action" = delete ] || { bundle_part "$1" | od -An -tx1 | tr -d ' \\n'; echo; }; }
    bundle_split operations_each show
    bundle_split bundle_guard
    """

    done = shell.run("operations bundle", code, MARK=MARK.decode(), content=content, **GIVEN)

    assert done.output == "66697273740a\nff00\nguard\n"

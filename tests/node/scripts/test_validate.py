"""lib/validate.sh: a new config, judged by a containerd that is a stand-in."""

from __future__ import annotations

import pytest

from tests.node.scripts.shell import HOOKS, Shell, digest

DUMP = """version = 2
imports = ["x"]

[plugins]
  [plugins."cri"]
    sandbox = "pause"
    [plugins."cri".registry]
      config_path = "CERTS"
      [plugins."cri".registry.mirrors]
        a = 1
  [plugins."other"]
    b = 2
"""
OUTSIDE = "\n".join(
    line
    for line in DUMP.splitlines()
    if line and not any(word in line for word in ("imports", "registry", "CERTS", "a = 1"))
)
BINARY = 'while [ "$1" != -c ]; do shift; done\n[ -s "$2" ] || exit 1\ncat "$2"'


def given(shell: Shell, **more: str) -> dict[str, str]:
    """Return the variables of a change of one config, staged with the dump itself as content."""
    shell.stand_in("containerd", BINARY)
    config = shell.folder / "config.toml"
    config.write_text(DUMP)
    staged = shell.run_folder / "stage-r1/files"
    staged.mkdir(parents=True)
    (staged / "1").write_text(DUMP.replace("CERTS", "/etc/certs.d"))
    return {
        **{"ID": "r1", "MODE": "stage", "OPERATOR": "me", "path": "", **HOOKS},
        **{"BINARY": "containerd", "CONFIG": str(config), "CONFIGS": str(config)},
        **{"IGNORED": "0", "OUTSIDE": digest(OUTSIDE + "\n"), "ROLLBACK": "0", "RESTORES": "x"},
        "OPERATIONS": f"update\t644\t0\t0\td\te\t{config}",
        **more,
    }


def test_a_dump_is_split_at_the_registry_tables(shell: Shell) -> None:
    values = given(shell, dump=DUMP)

    outside = shell.output("validate", 'validate_outside_registry "$dump"', **values)
    inside = shell.output("validate", 'validate_inside_registry "$dump"', **values)

    assert outside == OUTSIDE + "\n"
    assert [line.strip() for line in inside.splitlines()] == [
        '[plugins."cri".registry]',
        'config_path = "CERTS"',
        '[plugins."cri".registry.mirrors]',
        "a = 1",
    ]


def test_a_config_that_changes_the_registry_alone_passes(shell: Shell) -> None:
    done = shell.run("validate", "validate_config; printf 'passed\\t\\n'", **given(shell))

    assert done.reply.has("passed")
    assert 'config_path = "/etc/certs.d"' in done.reply.value("registry")


FAULTS = {
    "one that containerd refuses": ("", "refuses the new"),
    "one that changes more": (DUMP.replace("pause", "other"), "would change more"),
    "one with a table that is ignored": (
        f'time=x msg="Ignoring unknown key" key="registry.x"\n{DUMP}',
        "would ignore a registry table",
    ),
}


@pytest.mark.parametrize(("content", "message"), FAULTS.values(), ids=FAULTS)
def test_a_config_that_is_not_what_was_meant_is_refused(
    shell: Shell, content: str, message: str
) -> None:
    values = given(shell)
    (shell.run_folder / "stage-r1/files/1").write_text(content)

    done = shell.run("validate", "validate_config; printf passed", **values)

    assert done.failure[:2] == ("validate", "validate")
    assert message in done.failure[2]


def test_a_rollback_goes_on_if_the_present_config_is_refused_too(shell: Shell) -> None:
    values = given(shell, ROLLBACK="1")
    (shell.folder / "config.toml").write_text("")
    (shell.run_folder / "stage-r1/files/1").write_text("")

    assert shell.output("validate", "validate_config; printf passed", **values) == "passed"


def test_no_config_is_nothing_to_validate(shell: Shell) -> None:
    values = given(shell, CONFIGS="")

    shell.output("validate", "validate_config", **values)

    assert shell.calls == []


LOGS = {
    'time=x msg="Ignoring unknown key" key="registry.a"': "1",
    'Ignoring unknown key key=registry\nIgnoring unknown key key="registry"': "2",
    'Ignoring unknown key key="other"': "0",
    "nothing": "0",
}


@pytest.mark.parametrize(("log", "expected"), LOGS.items())
def test_ignored_registry_tables_are_counted(shell: Shell, log: str, expected: str) -> None:
    found = shell.run("validate", 'validate_count_ignored "$log"', log=log, **given(shell)).output

    assert found.strip() == expected

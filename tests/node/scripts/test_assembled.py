"""The node-side scripts as they are sent: put together, quoted, clean under shellcheck."""

from __future__ import annotations

import re
import subprocess

import pytest

from fleet.core.failure import Step
from fleet.node.assembler import compact_source, script_names, source
from fleet.node.script import Script
from tests.node.scripts.shell_code import FILES, LIBRARY, closure
from tests.node.scripts.test_library import shellcheck

_DEFINITION = re.compile(r"^(\w+)\(\)", re.MULTILINE)


@pytest.mark.parametrize("name", script_names())
def test_a_script_reads_no_variable_that_nothing_sets(name: str) -> None:
    """SC2034 is left out: a variable that one file sets may be read by another one."""
    files = [
        FILES[f"{name}.sh"],
        *(LIBRARY[part] for part in closure(FILES[f"{name}.sh"].head("requires"))),
    ]
    given = {variable for file in files for variable in file.head("inputs")}
    head = "".join(f"{variable}=$0\n" for variable in sorted(given) if variable.isupper())

    assert [fault for fault in shellcheck(head + source(name)) if "[2034]" not in fault] == []


def test_a_function_is_defined_once_and_some_script_uses_it() -> None:
    defined = [name for file in FILES.values() for name in file.functions]
    sent = {name for script in script_names() for name in _DEFINITION.findall(source(script))}

    assert sorted(defined) == sorted(set(defined))
    assert sent == set(defined)


@pytest.mark.parametrize("name", script_names())
def test_a_script_defines_all_functions_that_it_names(name: str) -> None:
    known = {name for file in FILES.values() for name in file.functions}
    code = re.sub(r"^ *#.*|(?<=\{) #.*", "", source(name), flags=re.MULTILINE)

    named = set(re.findall(r"\w+", code)) & known

    assert sorted(_DEFINITION.findall(source(name))) == sorted(named)


@pytest.mark.parametrize("name", script_names())
def test_scripts_are_small_enough_for_one_round_trip(name: str) -> None:
    """The receive window of a new channel is 64 KiB or more: below it nothing waits.

    The rest is for the variables: a long plan's file lists, or the bundle of a stage.
    """
    assert len(Script(Step(name), {}).text()) < 54_000


@pytest.mark.parametrize("name", script_names())
def test_what_is_left_out_of_a_script_is_nothing_that_a_shell_reads(name: str) -> None:
    def read(text: str) -> list[str]:
        words = ["bash", "--posix", "--pretty-print", "/dev/stdin"]
        ran = subprocess.run(words, input=text, capture_output=True, text=True, check=True)
        lines = [line for line in ran.stdout.splitlines() if line]
        # The one string with blanks at the beginning of its lines is a script itself.
        return [line.strip() for line in lines] if name == "stage" else lines

    written, sent = source(name), compact_source(name)

    assert read(sent) == read(written)
    assert len(sent) < len(written)

"""The heads of the node-side shell code, held against what the code does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.node.scripts.shell_code import DEFINED_IN, FILES, LIBRARY, ShellFile, closure, library

_NEVER_INVOKED = "SC2329,SC2317"
"""A library has functions that others call, and a script need not use all of them."""
_UNASSIGNED = ("-o", "check-unassigned-uppercase")
EACH_FILE = pytest.mark.parametrize("file", FILES.values(), ids=FILES)
EACH_PART = pytest.mark.parametrize("file", LIBRARY.values(), ids=LIBRARY)


def provided(file: ShellFile) -> set[str]:
    """Return the variables that the required files set."""
    return {name for part in file.head("requires") for name in LIBRARY[part].head("outputs")}


def taken(file: ShellFile) -> set[str]:
    """Return the variables that the file reads and does not set."""
    return file.read - file.assigned - file.local


@EACH_FILE
def test_a_head_names_the_file_in_one_line(file: ShellFile) -> None:
    first, *rest = file.text.splitlines()

    assert re.fullmatch(r"# [A-Z].*", first)
    assert rest


@EACH_FILE
def test_a_variable_is_an_input_or_set_by_the_file_or_by_one_that_it_requires(
    file: ShellFile,
) -> None:
    inputs = set(file.head("inputs"))

    assert taken(file) - provided(file) - inputs == set()
    assert inputs - file.read == set()


@EACH_FILE
def test_a_file_requires_those_that_it_uses_and_no_others(file: ShellFile) -> None:
    called = {DEFINED_IN[word].name for word in file.words() & DEFINED_IN.keys()} - {file.name}
    wanted = taken(file) | (file.read & file.local - file.assigned)
    used = {part for part in file.head("requires") if wanted & set(LIBRARY[part].head("outputs"))}
    always = set() if file.is_library else {"environment"}
    if file.name in LIBRARY and not file.is_library:  # an entry script of the same name
        called |= {file.name} if file.words() & set(LIBRARY[file.name].functions) else set()

    assert called | used | always == set(file.head("requires"))


@EACH_PART
def test_an_output_is_set_by_the_file_and_read_by_one_that_requires_it(file: ShellFile) -> None:
    readers = [user for user in FILES.values() if file.name in user.head("requires")]
    read = {name for user in readers for name in user.read}

    assert [name for name in file.head("outputs") if name not in read] == []
    assert [name for name in file.head("outputs") if name not in file.assigned | file.local] == []


@EACH_PART
def test_the_functions_of_a_head_are_those_that_others_call(file: ShellFile) -> None:
    words = {word for user in FILES.values() if user != file for word in user.words()}

    assert file.head("functions") == [name for name in file.functions if name in words]


@EACH_PART
def test_functions_have_the_prefix_of_their_file(file: ShellFile) -> None:
    assert [name for name in file.functions if not name.startswith(f"{file.name}_")] == []


def shellcheck(text: str) -> list[str]:
    """Return what shellcheck finds; no code that sees a misspelt variable is switched off."""
    words = [Path(sys.executable).with_name("shellcheck"), "-s", "dash", "-e", _NEVER_INVOKED]
    done = subprocess.run(
        [*words, *_UNASSIGNED, "-f", "json", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return [
        f"{found['line']}: {found['message']} [{found['code']}]"
        for found in json.loads(done.stdout)
    ]


def framed(file: ShellFile) -> str:
    """Return a file between what sets its inputs and what reads all that it may set for others."""
    inputs = set(file.head("inputs"))
    before = sorted(inputs | provided(file))
    required = [LIBRARY[name] for name in closure(file.head("requires"))]
    for_others = {name for part in required for name in part.head("inputs")}
    after = {*provided(file), *file.head("outputs"), *for_others} - inputs
    head = "".join(f"{name}=$0\n" for name in before)
    tail = "".join(f': "${{{name}-}}"\n' for name in sorted(after))
    return f"{head}\n{file.text}\n{tail}"


@EACH_FILE
def test_shellcheck_finds_no_fault(file: ShellFile) -> None:
    assert shellcheck(framed(file)) == []


@pytest.mark.parametrize(
    ("right", "wrong", "code"),
    [
        ('"$complaint"', '"$complaimt"', "2154"),
        ("complaint=", "complaimt=", "2034"),
        ('"$RUN"', '"$RUM"', "2154"),
    ],
)
def test_shellcheck_sees_a_misspelt_variable(right: str, wrong: str, code: str) -> None:
    lock = LIBRARY["lock"]
    assert right in lock.text

    found = shellcheck(framed(ShellFile(lock.path, lock.text.replace(right, wrong, 1))))

    assert any(f"[{code}]" in fault for fault in found)


def test_required_files_come_first_and_once() -> None:
    text = library("lock", "files")

    assert text.index(LIBRARY["text"].text) < text.index(LIBRARY["files"].text)
    assert text.count("\nlock_acquire() {") == text.count("\nfiles_sum() {") == 1

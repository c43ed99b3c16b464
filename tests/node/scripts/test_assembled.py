"""The node-side scripts as they are sent: put together, quoted, clean under shellcheck."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import fleet.node
from fleet.node.assembler import script_names, source
from fleet.node.bundle import MARK, pack
from fleet.node.script import Script

# Capitals come from outside, small names are the fields of a line: no misspelling. Parts are
# shared, so not every script uses every place and function of theirs.
EXCLUDED = "SC2153,SC2034,SC2329,SC2317"
_FOLDER = Path(fleet.node.__path__[0]) / "scripts"
FILES = {str(path.relative_to(_FOLDER)): path.read_text() for path in _FOLDER.rglob("*.sh")}
_DEFINITION = re.compile(r"^(\w+)\(\)", re.MULTILINE)


@pytest.mark.parametrize("name", script_names())
def test_scripts_are_clean_under_shellcheck(name: str) -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    text = source(name)

    ran = subprocess.run(
        [shellcheck, "-s", "dash", "-e", EXCLUDED, "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.stdout == ""
    assert ran.returncode == 0


def test_a_function_is_defined_once_and_some_script_uses_it() -> None:
    defined = [name for text in FILES.values() for name in _DEFINITION.findall(text)]
    sent = {name for script in script_names() for name in _DEFINITION.findall(source(script))}

    assert sorted(defined) == sorted(set(defined))
    assert sent == set(defined)


@pytest.mark.parametrize("name", script_names())
def test_a_script_defines_all_functions_that_it_names(name: str) -> None:
    known = {name for text in FILES.values() for name in _DEFINITION.findall(text)}
    code = re.sub(r"^ *#.*|(?<=\{) #.*", "", source(name), flags=re.MULTILINE)

    named = set(re.findall(r"\w+", code)) & known

    assert sorted(_DEFINITION.findall(source(name))) == sorted(named)


@pytest.mark.parametrize("name", script_names())
def test_scripts_are_small_enough_for_one_round_trip(name: str) -> None:
    """The receive window of a new channel is 64 KiB or more: below it nothing waits."""
    assert len(Script(name, {}).text()) < 46_000


@pytest.mark.parametrize("name", script_names())
def test_what_is_left_out_of_a_script_is_nothing_that_a_shell_reads(name: str) -> None:
    def read(text: str) -> list[str]:
        words = ["bash", "--posix", "--pretty-print", "/dev/stdin"]
        ran = subprocess.run(words, input=text, capture_output=True, text=True, check=True)
        lines = [line for line in ran.stdout.splitlines() if line]
        # The one string with blanks at the beginning of its lines is a script itself.
        return [line.strip() for line in lines] if name == "stage" else lines

    written, sent = source(name), Script(name, {}).text()

    assert read(sent) == read(written)
    assert len(sent) < len(written)


CONTENTS = {
    "text": b"server = 'x'\n[host]\n",
    "nothing": b"",
    "no line end": b"a",
    "line ends alone": b"\n\n\n",
    "what a shell expands": b"$(id) `id` * ? [a-z] ~ \\ \\n \"'\n",
    "blanks around": b"  \t a \t\n ",
    "carriage returns": b"a\r\n",
    "the mark": b"a\x1eb",
    "bytes of no text": bytes(range(256)),
    "other letters": "\u00e4\u4e2d\n".encode(),
    "much": b"0123456789abcdef\n" * 20_000,
}


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_bundle_is_parted_as_it_was_packed(shell: str, tmp_path: Path) -> None:
    """Every content stands between two others, and comes out byte for byte."""
    (tmp_path / "bundle").write_bytes(pack(CONTENTS.values()))
    lay = """
content=$(cat bundle)
number=0
lay() { for each in "$@"; do bundle_part "$each" >"$number"; number=$((number + 1)); done; }
bundle_split lay
"""
    parts = Path(fleet.node.__path__[0]) / "scripts/lib"
    text = f"{(parts / 'text.sh').read_text()}{(parts / 'bundle.sh').read_text()}{lay}"

    ran = subprocess.run(
        [shell, "-s"],
        input=f"MARK='{MARK.decode()}'\n{text}",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.stderr == ""
    laid = {name: (tmp_path / str(at)).read_bytes() for at, name in enumerate(CONTENTS)}
    assert laid == CONTENTS
